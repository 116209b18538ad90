import { describe, expect, it } from 'vitest';

import { compare } from '../../../bench/compare.ts';
import type { Contender } from '../../../bench/contender.ts';

/** Contenders that write down who pushed what; each push takes a millisecond more than the one before. */
function contenders(...names: string[]) {
  const turns: string[] = [];
  const made = names.map((name): Contender => {
    let ms = 0;
    return {
      name,
      push: async bytes => {
        turns.push(`${name} ${bytes}`);
        ms += 1;
        return { ms, skew: name === 'a' ? ms / 2 : null, phases: {} };
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
  });
  return { turns, entrants: made.map(contender => ({ contender, aftermath: 0 })) };
}

describe('a comparison', () => {
  it('has contenders take turns for each size, and another one begin in each round', async () => {
    const { turns, entrants } = contenders('a', 'b');
    await compare({ entrants, sizes: [1, 2], rounds: 2, warmUp: 0 });
    expect(turns).toEqual(['b 1', 'a 1', 'b 2', 'a 2', 'a 1', 'b 1', 'a 2', 'b 2']);
  });

  it('counts every push but those for warm-up', async () => {
    const { turns, entrants } = contenders('a', 'b');
    const figures = await compare({ entrants, sizes: [1], rounds: 3, warmUp: 2 });
    expect(turns).toHaveLength(10);
    expect(figures.map(({ contender, samples }) => [contender, samples.ms])).toEqual([
      ['a', [3, 4, 5]],
      ['b', [3, 4, 5]],
    ]);
  });

  it('has no skew where nothing switches', async () => {
    const { entrants } = contenders('a', 'b');
    const figures = await compare({ entrants, sizes: [1], rounds: 3, warmUp: 0 });
    expect(figures.map(({ skew }) => skew)).toEqual([{ count: 3, p50: 1, p99: 1.5 }, null]);
  });

  it('ends with the contender and the size at which a push failed', async () => {
    const failing: Contender = {
      name: 'Erlang',
      push: () => Promise.reject(new Error('a node is gone')),
      [Symbol.asyncDispose]: async () => undefined,
    };
    const entrants = [{ contender: failing, aftermath: 0 }];
    await expect(compare({ entrants, sizes: [1_024], rounds: 1, warmUp: 0 })).rejects.toThrow(
      'Erlang failed at a push of 1024 bytes: a node is gone',
    );
  });
});
