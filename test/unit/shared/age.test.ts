import { expect, it } from 'vitest';

import { ageText } from '../../../shared/age.ts';

it.each([
  [-5, '0 s'],
  [999, '0 s'],
  [42_300, '42 s'],
  [60_000, '1 min'],
  [61_000, '1 min 1 s'],
  [3 * 3_600_000 + 5 * 60_000 + 7_000, '3 h 5 min'],
  [2 * 86_400_000 + 59_000, '2 d'],
])('an age of %d ms is shown in its two largest units: %s', (ms, text) => {
  expect(ageText(ms)).toBe(text);
});
