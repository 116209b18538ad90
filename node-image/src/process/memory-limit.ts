import { getHeapStatistics } from 'node:v8';

const BYTES_PER_MB = 2 ** 20;

/** The share of the container's memory, and of V8's heap limit, that live memory can take. */
const LIVE_SHARE = 0.75;

/** The share of the container's memory at which the kernel is about to kill the process. */
const RESIDENT_SHARE = 0.9;

/** Without a limit of the container, resident memory is too much at twice the limit, and the memory of Node.js itself (MB). */
const MAX_RESIDENT_FACTOR = 2;
const RUNTIME_MB = 128;

/** The memory limits that have effect (MB). */
export interface MemoryLimits {
  /** For live memory: objects and buffers. */
  readonly liveMb: number;
  /** For resident memory after a garbage collection: with it, native memory counts too. */
  readonly residentMb: number;
  /** What makes them lower than MEMORY_LIMIT_MB, and what to do, as sentences; null when nothing does. */
  readonly note: string | null;
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
  const heapMb = heapBytes / BYTES_PER_MB;
  const liveMb = Math.min(configuredMb, LIVE_SHARE * Math.min(containerMb, heapMb));
  const residentMb = Math.min(RESIDENT_SHARE * containerMb, MAX_RESIDENT_FACTOR * liveMb + RUNTIME_MB);
  const neededMb = Math.ceil(configuredMb / LIVE_SHARE);
  const cause =
    containerMb <= heapMb
      ? `the container has only ${Math.round(containerMb)} MB (NODE_MEMORY)`
      : `V8's heap can have only ${Math.round(heapMb)} MB (--max-old-space-size)`;
  const note =
    `MEMORY_LIMIT_MB is ${configuredMb}, but ${cause}, so that the limit of this node is ${Math.round(liveMb)} MB: ` +
    `give it ${neededMb} MB, or lower MEMORY_LIMIT_MB`;
  return { liveMb, residentMb, note: liveMb < configuredMb ? note : null };
}
