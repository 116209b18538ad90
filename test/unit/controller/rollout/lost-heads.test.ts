import { describe, expect, it } from 'vitest';

import { headsBehindNodes } from '../../../../controller/src/rollout/lost-heads.ts';
import type { NodeDescription } from '../../../../protocol/messages.ts';
import { headOf } from '../../fixtures.ts';

const revision = 'a'.repeat(64);

/** A node that has applied these sequences. */
const nodeWith = (sequences: Record<string, number>) =>
  ({
    modules: Object.fromEntries(Object.entries(sequences).map(([module, sequence]) => [module, { sequence }])),
  }) as unknown as NodeDescription;

describe('a stream that is older than what nodes run', () => {
  it.each([
    [
      'its head is older',
      [headOf('demo', revision, 2)],
      /lacks the newest demo\. .*hotcast rollback demo --to aaaaaaaaaaaa/,
    ],
    ['it has no head', [], /lacks the newest demo\. .*hotcast remove demo/],
    ['it has only other heads', [headOf('other', revision, 9)], /lacks the newest demo\. /],
  ])('is named when %s', (_, heads, text) => {
    expect(headsBehindNodes(heads, [nodeWith({ demo: 1 }), nodeWith({ demo: 3 })])).toMatch(text);
  });

  it('is not named when the nodes have its heads, or only what `compile` loaded', () => {
    expect(headsBehindNodes([headOf('demo', revision, 3)], [nodeWith({ demo: 3, mine: 0 })])).toBeNull();
  });
});
