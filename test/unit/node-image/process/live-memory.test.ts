import { expect, it, vi } from 'vitest';

import { liveMemoryAbove } from '../../../../node-image/src/process/live-memory.ts';
import { collectGarbage } from '../../../../shared/collect-garbage.ts';

it('collects garbage only to find out whether the limit is exceeded', () => {
  const collect = vi.fn<() => void>();
  expect(liveMemoryAbove(1e6, collect)).toBeNull();
  expect(collect).not.toHaveBeenCalled();
  expect(liveMemoryAbove(1, collect)).toBeGreaterThan(1);
  expect(collect).toHaveBeenCalledOnce();
});

/** Holds so many bytes while `body` runs, and then garbage of that size. */
function whileHolding(bytes: number, body: () => void): void {
  const held = [Buffer.alloc(bytes)];
  body();
  held.length = 0;
}

it('counts buffers, and not those that nobody holds', () => {
  // The tests before this one, in the same process, have left garbage.
  collectGarbage();
  collectGarbage();
  const usedMb = (process.memoryUsage().heapUsed + process.memoryUsage().external) / 2 ** 20;
  whileHolding(400 * 2 ** 20, () => expect(liveMemoryAbove(usedMb + 300)).toBeGreaterThan(399));
  expect(liveMemoryAbove(usedMb + 300)).toBeNull();
});
