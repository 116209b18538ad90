import { expect, it } from 'vitest';

import { inOrderOfTime } from '../../../../../controller/src/commands/records/history.ts';

it('heads of all modules are in the order of time, and those of one module stay in theirs', () => {
  const demo = [
    { of: 'demo 1', at: 10 },
    { of: 'demo 2', at: 500 },
    { of: 'demo 3, by a late clock', at: 30 },
  ];
  const counter = [
    { of: 'counter 1', at: 20 },
    { of: 'counter 2', at: 600 },
  ];
  expect(inOrderOfTime([demo, counter]).map(({ of }) => of)).toEqual([
    'counter 2',
    'demo 3, by a late clock',
    'demo 2',
    'counter 1',
    'demo 1',
  ]);
});
