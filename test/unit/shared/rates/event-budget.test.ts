import { expect, it } from 'vitest';

import { EventBudget } from '../../../../shared/rates/event-budget.ts';

it('reads what a node sends at its own pace, for ever', () => {
  let now = 0;
  const budget = new EventBudget(() => now);
  const taken = Array.from({ length: 1_000 }, () => {
    now += 100;
    return budget.take('fred');
  });
  expect(taken).not.toContain(false);
  expect(budget.floods()).toEqual([]);
});

it('reads little of a flood, names the node for a minute, and reads all of the others', () => {
  let now = 0;
  const budget = new EventBudget(() => now);
  let read = 0;
  for (let sent = 0; sent < 22_500; sent += 1) {
    now = (sent * 1_000) / 22_500;
    if (budget.take('fred')) read += 1;
    if (sent % 2_000 === 0) expect(budget.take('betty')).toBe(true);
  }
  expect(read).toBeLessThan(80);
  expect(budget.floods()).toEqual([{ node: 'fred', dropped: 22_500 - read }]);
  now += 10_000;
  expect(budget.take('fred')).toBe(true);
  now += 60_000;
  expect(budget.floods()).toEqual([]);
});
