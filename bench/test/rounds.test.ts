import { describe, expect, it } from 'vitest';

import { type Contender, pushInRounds } from '../rounds.ts';

/** Contenders that record their turns; each push takes a millisecond more than the one before. */
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
    };
  });
  return { turns, contenders: made };
}

describe('rounds of pushes', () => {
  it('let contenders take turns for each size, and begin with another one each time', async () => {
    const { turns, ...options } = contenders('a', 'b');
    await pushInRounds({ ...options, sizes: [1, 2], rounds: 2, warmUp: 0 });
    expect(turns).toEqual(['b 1', 'a 1', 'b 2', 'a 2', 'a 1', 'b 1', 'a 2', 'b 2']);
  });

  it('count every push after the warm-up', async () => {
    const { turns, ...options } = contenders('a', 'b');
    const figures = await pushInRounds({ ...options, sizes: [1], rounds: 3, warmUp: 2 });
    expect(turns).toHaveLength(10);
    expect(figures.map(({ contender, samples }) => [contender, samples.ms])).toEqual([
      ['a', [3, 4, 5]],
      ['b', [3, 4, 5]],
    ]);
  });

  it('have no skew where nothing switches', async () => {
    const figures = await pushInRounds({ ...contenders('a', 'b'), sizes: [1], rounds: 3, warmUp: 0 });
    expect(figures.map(({ skew }) => skew)).toEqual([{ count: 3, p50: 1, p99: 1.49 }, null]);
  });

  it('end with an error that names contender and size when a push fails', async () => {
    const failing = { name: 'Erlang', push: () => Promise.reject(new Error('a node is gone')) };
    const rounds = pushInRounds({ contenders: [failing], sizes: [1_024], rounds: 1, warmUp: 0 });
    await expect(rounds).rejects.toThrow('Erlang failed at a push of 1024 bytes: Error: a node is gone');
  });
});
