import { describe, expect, it } from 'vitest';

import { revisionBefore, stalledHeads } from '../../../../controller/src/rollout/automatic-rollback.ts';
import type { Head } from '../../../../protocol/head.ts';
import type { HeadResult } from '../../../../protocol/head-result.ts';
import { descriptionOf, headOf } from '../../fixtures.ts';

const [one = '', two = '', three = ''] = ['a', 'b', 'c'].map(digit => digit.repeat(64));

describe('revisionBefore', () => {
  const head = (revision: string | null, sequence: number, revertOf: number | null = null): Head => ({
    ...headOf('demo', revision, sequence),
    revertOf: revertOf === null ? null : `push ${revertOf}`,
  });

  it.each<[string, Head[], string | null]>([
    ['the one before', [head(one, 1), head(two, 2)], one],
    ['none, when it is the first', [head(one, 1)], null],
    ['another one, when the same was pushed twice', [head(one, 1), head(two, 2), head(two, 3)], one],
    ['one that was not gone back from', [head(one, 1), head(two, 2), head(one, 3, 2), head(three, 4)], one],
    ['none, when all were', [head(one, 1), head(two, 2), head(one, 3, 2)], null],
    ['not one that was tried again in vain', [head(one, 1), head(two, 2), head(three, 3), head(two, 4, 3)], one],
    [
      'one that stalled once, when it was forced since',
      [head(two, 1), head(one, 2, 1), head(two, 3), head(three, 4)],
      two,
    ],
    ['none, when the module was off before', [head(one, 1), head(null, 2), head(two, 3)], null],
    ['the one between, when an old one was pushed again', [head(one, 1), head(two, 2), head(one, 3)], two],
  ])('is %s', (_, kept, expected) => {
    const newest = kept.at(-1);
    if (newest === undefined) throw new TypeError('no head');
    expect(revisionBefore(newest, kept)).toBe(expected);
  });

  it('comes to an end when each of them stalls', () => {
    const kept = [head(one, 1), head(two, 2), head(three, 3)];
    const revisions: (string | null)[] = [];
    for (let newest = kept.at(-1); newest !== undefined && newest.revision !== null; newest = kept.at(-1)) {
      const before = revisionBefore(newest, kept);
      revisions.push(before);
      kept.push(head(before, newest.sequence + 1, newest.sequence));
    }
    expect(revisions).toEqual([two, one, null]);
  });
});

describe('stalledHeads', () => {
  const head = headOf('demo', two, 5);
  const outcome: HeadResult = { module: 'demo', sequence: 5, verdict: 'committed', loaded: 2, refused: 0, silent: 1 };
  const refusing = (node: string, sequence = 5, reason: 'banned' | 'on_load_failure' = 'banned') => ({
    ...descriptionOf(node),
    refusals: { demo: { sequence, reason, detail: `it stalled on ${node}` } },
  });

  it('name the nodes that refuse, and what happened on the first', () => {
    const nodes = [refusing('betty'), descriptionOf('bambam'), refusing('fred')];
    expect(stalledHeads([head], [outcome], nodes)).toEqual([
      { head, nodes: ['fred', 'betty'], detail: 'it stalled on fred' },
    ]);
  });

  it.each([
    ['nobody refuses it', [head], [outcome], [descriptionOf('fred')]],
    ['it is another head that is refused', [head], [outcome], [refusing('fred', 4)]],
    ['it is refused for another reason', [head], [outcome], [refusing('fred', 5, 'on_load_failure')]],
    ['a push is at work on it', [head], [], [refusing('fred')]],
    [
      'the refused one is a canary',
      [{ ...head, canary: { revision: three, scope: { type: 'names' as const, names: ['fred'] }, maxErrors: 0 } }],
      [outcome],
      [refusing('fred')],
    ],
  ])('are none when %s', (_, heads, headResults, nodes) => {
    expect(stalledHeads(heads, headResults, nodes)).toEqual([]);
  });
});
