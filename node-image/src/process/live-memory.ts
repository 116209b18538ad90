import { getHeapStatistics } from 'node:v8';

import { collectGarbage } from '../../../shared/collect-garbage.ts';

const BYTES_PER_MB = 2 ** 20;

/**
 * Returns the live memory of JavaScript, heap and buffers (MB), when it is above `limitMb`; null otherwise. What V8 counts
 * contains garbage, so that it is never too low. Only when that count is above the limit, garbage is collected for a second
 * one. (Resident memory is no measure: V8 and malloc keep freed pages.)
 */
export function liveMemoryAbove(limitMb: number, collect = collectAll): number | null {
  if (countedMb() <= limitMb) return null;
  collect();
  const liveMb = countedMb();
  return liveMb > limitMb ? liveMb : null;
}

function countedMb(): number {
  // Not process.memoryUsage(), which also reads a file of the kernel.
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return (heap + external) / BYTES_PER_MB;
}

/** The memory of buffers that one collection frees is counted as free by the next one. */
function collectAll(): void {
  collectGarbage();
  collectGarbage();
}
