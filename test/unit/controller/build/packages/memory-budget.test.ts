import { expect, it } from 'vitest';

import { MemoryBudget } from '../../../../../controller/src/build/packages/memory-budget.ts';

/** Work of so many bytes, which ends when it is told to. */
function worker(budget: MemoryBudget) {
  const running: string[] = [];
  const begin = (name: string, bytes: number): (() => Promise<void>) => {
    let end = (): void => undefined;
    const told = new Promise<void>(resolve => (end = resolve));
    const done = budget.use(bytes, async () => {
      running.push(name);
      await told;
      running.splice(running.indexOf(name), 1);
    });
    return () => (end(), done);
  };
  return { running, begin };
}

it('runs work at the same time as long as it fits, in its order, and what is too large alone', async () => {
  const { running, begin } = worker(new MemoryBudget(10));
  const [endA, endB, endHuge, endC] = [begin('a', 4), begin('b', 6), begin('huge', 1_000), begin('c', 1)];
  expect(running).toEqual(['a', 'b']);
  await endA();
  expect(running).toEqual(['b']);
  await endB();
  expect(running).toEqual(['huge']);
  await endHuge();
  expect(running).toEqual(['c']);
  await endC();
});

it('gives back what work took that failed', async () => {
  const budget = new MemoryBudget(10);
  await expect(budget.use(10, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect([budget.take(10), budget.take(1)]).toEqual([true, false]);
  budget.give(10);
  expect(budget.take(1)).toBe(true);
});
