import { describe, expect, it } from 'vitest';

import { desiredRevision, offeredRevision, revisionsOf } from '../../../protocol/head.ts';
import { type KeptOff, mergedKeptOff } from '../../../protocol/kept-off.ts';
import { headOf } from '../fixtures.ts';

const [stable = '', next = '', trial = ''] = ['a', 'b', 'c'].map(digit => digit.repeat(64));

const entryOf = (node: string, revision = next, fields: Partial<KeptOff> = {}): KeptOff => ({
  node,
  revision,
  instead: stable,
  cause: 'stalled',
  detail: 'it stalled',
  at: 0,
  ...fields,
});

describe('a node that is kept off a revision', () => {
  const head = { ...headOf('demo', next, 5), keptOff: [entryOf('fred')] };

  it('runs another one instead, or nothing, and nobody else does', () => {
    expect(['fred', 'betty'].map(node => desiredRevision(head, node))).toEqual([stable, next]);
    expect(offeredRevision(head, 'fred')).toBe(next);
    expect(revisionsOf(head)).toEqual([next, stable]);
    const nothing = { ...head, keptOff: [entryOf('fred', next, { instead: null })] };
    expect(desiredRevision(nothing, 'fred')).toBeNull();
  });

  it('loads every other revision', () => {
    expect(desiredRevision({ ...head, revision: trial }, 'fred')).toBe(trial);
    expect(revisionsOf({ ...head, revision: trial })).toEqual([trial]);
  });

  it('is kept off a canary as well', () => {
    const scope = { type: 'names' as const, names: ['fred', 'betty'] };
    const canary = { revision: next, manifest: null, scope, maxErrors: 0 };
    const open = { ...head, revision: stable, canary };
    expect(['fred', 'betty', 'bambam'].map(node => desiredRevision(open, node))).toEqual([stable, next, stable]);
  });
});

describe('the entries of a new head', () => {
  it('are those of the one before it and its own, which replace those of the same node and revision', () => {
    const before = [entryOf('fred'), entryOf('betty')];
    const added = [entryOf('fred', next, { cause: 'memory' })];
    expect(mergedKeptOff(before, added, next)).toEqual([before[1], added[0]]);
  });

  it('are at most a hundred of other revisions, the newest, and all of its own', () => {
    const own = Array.from({ length: 200 }, (_, index) => entryOf(`node-${index}`));
    const others = Array.from({ length: 150 }, (_, index) => entryOf(`node-${index}`, trial));
    const merged = mergedKeptOff([...others, ...own], [], next);
    expect(merged).toEqual([...others.slice(50), ...own]);
  });
});
