import { getHeapStatistics } from 'node:v8';

/**
 * The memory limit that has effect (MB). Beyond three quarters of the container's memory, or of V8's heap limit, these would
 * end the process without a ban.
 */
export function effectiveMemoryLimitMb(configuredMb: number): number {
  const limit = Math.min(process.constrainedMemory(), getHeapStatistics().heap_size_limit);
  return Math.min(configuredMb, (0.75 * limit) / 2 ** 20);
}
