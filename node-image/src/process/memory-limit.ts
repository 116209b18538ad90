import { getHeapStatistics } from 'node:v8';

const BYTES_PER_MB = 2 ** 20;

/** The share of the container's memory, and of V8's heap limit, that live memory can take. */
const LIVE_SHARE = 0.75;

/** The share of the container's memory at which the kernel is about to kill the process. */
const RESIDENT_SHARE = 0.9;

/** Resident memory of so many times the limit is too much also without a limit of the container. */
const MAX_RESIDENT_FACTOR = 2;

/** The memory limits that have effect (MB). */
export interface MemoryLimits {
  /** For live memory: objects and buffers. */
  readonly liveMb: number;
  /** For resident memory after a garbage collection: with it, native memory counts too. */
  readonly residentMb: number;
}

/**
 * The limits that follow from MEMORY_LIMIT_MB. Beyond them, the kernel or V8 would end the process without a word.
 *
 * @param containerBytes the container's memory; 0 or more than a machine has: it has no limit.
 */
export function memoryLimits(
  configuredMb: number,
  containerBytes = process.constrainedMemory(),
  heapBytes = getHeapStatistics().heap_size_limit,
): MemoryLimits {
  const containerMb = containerBytes > 0 ? containerBytes / BYTES_PER_MB : Infinity;
  const liveMb = Math.min(configuredMb, LIVE_SHARE * Math.min(containerMb, heapBytes / BYTES_PER_MB));
  return { liveMb, residentMb: Math.min(RESIDENT_SHARE * containerMb, MAX_RESIDENT_FACTOR * liveMb) };
}
