import { describe, expect, it } from 'vitest';

import { unfinishedHeads, revertibleModules } from '../../../../controller/src/rollout/reconciler.ts';
import type { HeadResult } from '../../../../protocol/head-result.ts';
import { headOf } from '../../fixtures.ts';

const revision = 'f'.repeat(64);
const resultOf = (module: string, sequence: number): HeadResult => ({
  module,
  sequence,
  verdict: 'committed',
  loaded: 3,
  refused: 0,
  silent: 0,
});

describe('unfinishedHeads', () => {
  const head = headOf('demo', revision, 5);
  const later = head.at + 1;

  it.each([
    ['has no result', [], later, true],
    ['has the result of the head before it', [resultOf('demo', 4)], later, true],
    ["has another module's result", [resultOf('other', 5)], later, true],
    ['has its result', [resultOf('demo', 5)], later, false],
    ['was just written: its controller may be at work', [], head.at - 1, false],
  ])('of a head that %s', (_, results, before, unfinished) => {
    expect(unfinishedHeads([head], results, before)).toEqual(unfinished ? [head] : []);
  });

  it('are all without a result', () => {
    const other = headOf('other', revision, 9);
    expect(unfinishedHeads([head, other], [resultOf('demo', 5)], later)).toEqual([other]);
  });
});

describe('revertibleModules', () => {
  const heads = [headOf('demo', revision, 5)];

  it.each<[string, HeadResult[], boolean]>([
    ['has no result', [], true],
    ['has the result of the head before it', [resultOf('demo', 4)], true],
    ['has its result', [resultOf('demo', 5)], false],
    ['was refused, and is about to be reverted', [{ ...resultOf('demo', 5), verdict: 'reverted' }], true],
    ['has its result, but a node was silent and can refuse later', [{ ...resultOf('demo', 5), silent: 1 }], true],
  ])('of a head that %s', (_, results, revertible) => {
    expect(revertibleModules(heads, results)).toEqual(revertible ? ['demo'] : []);
  });
});
