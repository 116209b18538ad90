import { expect, it } from 'vitest';

import { privateMemory, privateShare } from '../../../../node-image/src/process/private-memory.ts';

it('excludes the pages of files', () => {
  expect(privateShare('287432 20000 12000 11829 0 40000 0\n')).toBeCloseTo(0.4);
});

it('is everything when the pages are not known', () => {
  expect(privateShare('')).toBe(1);
});

it('is a part of the resident memory', () => {
  expect(privateMemory()).toBeGreaterThan(0);
  expect(privateMemory()).toBeLessThanOrEqual(process.memoryUsage.rss() * 1.1);
});
