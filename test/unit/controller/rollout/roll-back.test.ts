import { describe, expect, it } from 'vitest';

import { rollBack } from '../../../../controller/src/rollout/roll-back.ts';
import type { HeadWrite } from '../../../../controller/src/store/heads.ts';
import type { StreamStore } from '../../../../controller/src/store/stream-store.ts';
import type { Head } from '../../../../protocol/head.ts';
import { headOf } from '../../fixtures.ts';

const [one, two] = ['a', 'b'].map(digit => digit.repeat(64)) as [string, string];

describe('a push that goes back', () => {
  it('keeps off the earlier revision who was left out of it', async () => {
    const leftOut = { node: 'fred', revision: one, instead: null, cause: 'operator' as const, detail: '', at: 1 };
    const heads = [{ ...headOf('demo', one, 1), keptOff: [leftOut] }, headOf('demo', two, 2)];
    const written: Head[] = [];
    const last = { head: heads[1] ?? null, position: 2 };
    const store = {
      heads: async () => heads.slice(1),
      historyToLast: async () => ({ history: heads, last }),
      highestSequence: () => 2,
      writeHeads: async (writes: readonly HeadWrite[]) => written.push(...writes.map(({ head }) => head)) > 0,
    } as unknown as StreamStore;
    await rollBack(store, { cause: 'refused', heads: heads.slice(1), note: 'revert' });
    expect(written).toMatchObject([{ revision: one, sequence: 3, keptOff: [leftOut] }]);
  });
});
