import { describe, expect, it } from 'vitest';

import { stalledHeads } from '../../../../controller/src/rollout/automatic-rollback.ts';
import type { HeadResult } from '../../../../protocol/head-result.ts';
import { descriptionOf, headOf } from '../../fixtures.ts';

const [two = '', three = ''] = ['b', 'c'].map(digit => digit.repeat(64));

describe('stalledHeads', () => {
  const head = headOf('demo', two, 5);
  const result: HeadResult = { module: 'demo', sequence: 5, verdict: 'committed', loaded: 2, refused: 0, silent: 1 };
  const refusing = (node: string, sequence = 5, reason: 'banned' | 'on_load_failure' = 'banned') => ({
    ...descriptionOf(node),
    refusals: { demo: { sequence, reason, detail: `it stalled on ${node}` } },
  });

  it('names the nodes that refuse, and what happened on the first', () => {
    const nodes = [refusing('betty'), descriptionOf('bambam'), refusing('fred')];
    expect(stalledHeads([head], [result], nodes)).toEqual([
      { head, nodes: ['fred', 'betty'], detail: 'it stalled on fred' },
    ]);
  });

  it.each([
    ['no node refuses it', [head], [result], [descriptionOf('fred')]],
    ['another head is refused', [head], [result], [refusing('fred', 4)]],
    ['it is refused for another reason', [head], [result], [refusing('fred', 5, 'on_load_failure')]],
    ['its push has no result yet', [head], [], [refusing('fred')]],
    [
      'the refused one is a canary',
      [
        {
          ...head,
          canary: {
            revision: three,
            manifest: null,
            scope: { type: 'names' as const, names: ['fred'] },
            maxErrors: 0,
          },
        },
      ],
      [result],
      [refusing('fred')],
    ],
  ])('is empty when %s', (_, heads, headResults, nodes) => {
    expect(stalledHeads(heads, headResults, nodes)).toEqual([]);
  });
});
