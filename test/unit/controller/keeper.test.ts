import { describe, expect, it } from 'vitest';

import { unfinishedHeads } from '../../../controller/src/keeper.ts';
import type { Outcome } from '../../../protocol/outcome.ts';
import { headOf } from '../fixtures.ts';

const revision = 'f'.repeat(64);
const outcome = (module: string, sequence: number): Outcome => ({
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
    ['has no outcome', [], later, true],
    ['has the outcome of the head before it', [outcome('demo', 4)], later, true],
    ["has another module's outcome", [outcome('other', 5)], later, true],
    ['has its outcome', [outcome('demo', 5)], later, false],
    ['was written a moment ago: its controller may be at work', [], head.at - 1, false],
  ])('of a head that %s', (_, outcomes, before, unfinished) => {
    expect(unfinishedHeads([head], outcomes, before)).toEqual(unfinished ? [head] : []);
  });

  it('are all that nobody finished', () => {
    const other = headOf('other', revision, 9);
    expect(unfinishedHeads([head, other], [outcome('demo', 5)], later)).toEqual([other]);
  });
});
