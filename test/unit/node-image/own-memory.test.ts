import { expect, it } from 'vitest';

import { ownMemory, ownShare } from '../../../node-image/src/own-memory.ts';

it('leaves out the pages of files', () => {
  expect(ownShare('287432 20000 12000 11829 0 40000 0\n')).toBeCloseTo(0.4);
});

it('is the whole where nothing is known of pages', () => {
  expect(ownShare('')).toBe(1);
});

it('is some of the resident memory', () => {
  expect(ownMemory()).toBeGreaterThan(0);
  expect(ownMemory()).toBeLessThanOrEqual(process.memoryUsage.rss() * 1.1);
});
