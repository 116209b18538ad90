import { describe, expect, it } from 'vitest';

import { Folding } from '../../../../../controller/src/commands/logs/folding.ts';
import type { LogEntry } from '../../../../../protocol/logs.ts';

const entry: LogEntry = { at: 1, module: 'demo', revision: 'a'.repeat(64), level: 'info', text: 'boss' };

/** A folding and its clock. */
function foldingNow() {
  let time = 0;
  return { folding: new Folding(() => time), wait: (ms: number) => void (time += ms) };
}

describe('equal entries', () => {
  it('of many nodes within a moment are one, in the order of the first', () => {
    const { folding, wait } = foldingNow();
    for (const node of ['fred', 'betty', 'wilma']) {
      folding.add(node, { ...entry, at: 7 });
      folding.add(node, { ...entry, text: `alone on ${node}` });
      wait(10);
    }
    folding.add('fred', entry);
    expect(folding.takeEntries()).toEqual([]);
    wait(250);
    expect(folding.takeEntries()).toEqual([
      { ...entry, at: 7, nodes: ['fred', 'betty', 'wilma'], count: 4 },
      { ...entry, text: 'alone on fred', nodes: ['fred'], count: 1 },
      { ...entry, text: 'alone on betty', nodes: ['betty'], count: 1 },
      { ...entry, text: 'alone on wilma', nodes: ['wilma'], count: 1 },
    ]);
  });

  it('are two when a moment lies between them, or they are of another level, module or revision', () => {
    const { folding, wait } = foldingNow();
    folding.add('fred', entry);
    folding.add('fred', { ...entry, level: 'warn' });
    folding.add('fred', { ...entry, module: 'other' });
    folding.add('fred', { ...entry, revision: 'b'.repeat(64) });
    wait(250);
    expect(folding.takeEntries()).toHaveLength(4);
    folding.add('betty', entry);
    wait(250);
    expect(folding.takeEntries()).toMatchObject([{ nodes: ['betty'], count: 1 }]);
  });
});

describe('a tail', () => {
  it('shows a bounded number of different entries, and counts the others and what nodes dropped', () => {
    const { folding, wait } = foldingNow();
    let shown = 0;
    for (let ms = 0; ms < 10_000; ms += 100) {
      for (let line = 0; line < 300; line += 1) folding.add('fred', { ...entry, text: `${ms} ${line}` });
      wait(100);
      shown += folding.takeEntries().length;
    }
    wait(1_000);
    shown += folding.takeEntries().length;
    expect(shown).toBeGreaterThan(1_000);
    expect(shown).toBeLessThanOrEqual(1_300);
    folding.drop(7);
    expect(folding.takeDropped()).toBe(30_000 - shown + 7);
    expect(folding.takeDropped()).toBe(0);
  });
});
