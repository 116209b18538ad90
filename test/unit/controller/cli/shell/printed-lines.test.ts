import { beforeEach, describe, expect, it } from 'vitest';

import type { Logged } from '../../../../../controller/src/api/report.ts';
import type { CallResult } from '../../../../../controller/src/api/results.ts';
import { PrintedLines } from '../../../../../controller/src/cli/shell/printed-lines.ts';

const revision = 'a'.repeat(64);

let printed: PrintedLines;

/** What is shown of a text that arrives. */
function arrives(text: string, more: Partial<Logged['entries'][number]> = {}): string[] {
  const entry = { at: 1, module: 'demo', revision, level: 'info', text, nodes: ['fred'], count: 1, ...more } as const;
  return printed.arrived({ entries: [entry], dropped: 0 });
}

const answer = (node: string, ...output: string[]): CallResult['nodes'][number] => ({
  node,
  status: 'value',
  revision,
  output,
});

const outputs = (id: string, ...rows: CallResult['nodes']) =>
  printed.answered(id, rows).map(row => (row.status === 'silent' ? row.status : row.output));

beforeEach(() => {
  printed = new PrintedLines();
});

describe('a line of a call', () => {
  it('is shown when it arrives, and not again with the answer', () => {
    printed.begin('x');
    expect(arrives('one\ntwo', { call: { id: 'x', line: 0 } })).toEqual(['fred | one', 'fred | two']);
    expect(outputs('x', answer('fred', 'one', 'two', 'three'))).toEqual([['three']]);
    expect(arrives('three', { call: { id: 'x', line: 2 } })).toEqual([]);
  });

  it('is shown when it is printed after the answer', () => {
    printed.begin('x');
    expect(outputs('x', answer('fred', 'one'))).toEqual([['one']]);
    expect(arrives('later', { call: { id: 'x', line: 1 } })).toEqual(['fred | later']);
  });

  it('is shown once for each node', () => {
    printed.begin('x');
    const call = { id: 'x', line: 0 };
    expect(arrives('one', { call, nodes: ['fred', 'betty'] })).toEqual(['2 nodes | one']);
    expect(outputs('x', answer('fred', 'one'), answer('betty', 'one'), answer('wilma', 'one'))).toEqual([
      [],
      [],
      ['one'],
    ]);
    expect(arrives('one', { call, nodes: ['wilma'] })).toEqual([]);
  });

  it('of another shell is shown as any other', () => {
    expect(arrives('one', { call: { id: 'other', line: 0 } })).toEqual(['fred | one']);
  });
});

it('nothing is shown as it happens after .logs, and lines of a call come with its answer', () => {
  printed.begin('x');
  expect(printed.toggle()).toBe(false);
  expect(arrives('one', { call: { id: 'x', line: 0 } })).toEqual([]);
  expect(outputs('x', answer('fred', 'one'))).toEqual([['one']]);
  expect(printed.toggle()).toBe(true);
  expect(arrives('two')).toEqual(['fred | two']);
});

it('what is thrown is not printed, and what was dropped is counted', () => {
  expect(arrives('demo.add: Error', { level: 'error' })).toEqual([]);
  expect(printed.arrived({ entries: [], dropped: 1_200 })).toEqual(['… 1,200 lines dropped']);
});

it('a line can do nothing to the terminal', () => {
  expect(arrives('\u001B[2Jgone')).toEqual(['fred | \\x1b[2Jgone']);
});
