import { describe, expect, it } from 'vitest';

import { lateResults } from '../../../../controller/src/rollout/late-results.ts';
import type { HeadResult } from '../../../../protocol/history/head-result.ts';
import { descriptionOf, headOf, moduleStateOf } from '../../fixtures.ts';

const [one = '', two = ''] = ['a', 'b'].map(digit => digit.repeat(64));

describe('lateResults', () => {
  const head = headOf('demo', two, 5);
  const seen: HeadResult = { module: 'demo', sequence: 5, verdict: 'committed', loaded: 1, refused: 0, silent: 1 };
  const expected = new Set(['fred', 'betty']);
  const running = (node: string, revision = two) => descriptionOf(node, { demo: moduleStateOf(revision, 5) });

  it('says that every node runs the head', () => {
    expect(lateResults([head], [seen], expected, [running('fred'), running('betty')])).toEqual([
      { ...seen, loaded: 2, silent: 0 },
    ]);
  });

  it.each([
    ['a node still runs the revision before', [head], [seen], [running('fred'), running('betty', one)]],
    ['a node is not heard', [head], [seen], [running('fred')]],
    ['no node was silent', [head], [{ ...seen, silent: 0 }], [running('fred'), running('betty')]],
    ['the result is that of an earlier head', [head], [{ ...seen, sequence: 4 }], [running('fred'), running('betty')]],
    ['the head was reverted', [head], [{ ...seen, verdict: 'reverted' as const }], [running('fred'), running('betty')]],
  ])('is empty when %s', (_, heads, results, present) => {
    expect(lateResults(heads, results, expected, present)).toEqual([]);
  });

  it('is empty when no node is expected', () => {
    expect(lateResults([head], [seen], new Set(), [])).toEqual([]);
  });
});
