import { getHeapStatistics } from 'node:v8';
import { Worker } from 'node:worker_threads';

import type { Logger } from '../../../shared/logger.ts';
import { LOCATE, type ActivityBuffer } from './activity-buffer.ts';

/** What the watchdog's thread is given. */
export interface WatchdogData {
  /** Of the main thread's {@link ActivityBuffer}. */
  readonly memory: SharedArrayBuffer;
  /** Milliseconds. */
  readonly maxBlockMs: number;
  /** Megabytes. */
  readonly maxMemoryMb: number;
  readonly bansFile: string;
  /** The node's name, for the log. */
  readonly node: string;
}

interface WatchdogParts extends Omit<WatchdogData, 'memory'> {
  readonly activity: ActivityBuffer;
  /** What a position in a bundle is in the author's own file; null when that is not known. */
  readonly locate: (position: string) => string | null;
  readonly log: Logger;
}

/** The main thread tells that its event loop turns so often (milliseconds), or this share of what it may block. */
const BEAT = 500;
const BEAT_SHARE = 0.2;

/**
 * Starts the thread that brings the process down when a module blocks its event loop, or takes too much memory, and
 * remembers that module's revision. Its code is a bundle of its own, so that it holds no second copy of the node's
 * libraries.
 */
export function startWatchdog({ activity, locate, log, ...limits }: WatchdogParts): void {
  Object.defineProperty(globalThis, LOCATE, { value: locate });
  setInterval(() => activity.beat(), Math.min(BEAT, BEAT_SHARE * limits.maxBlockMs)).unref();
  const maxMemoryMb = Math.min(limits.maxMemoryMb, memoryLimit());
  const workerData: WatchdogData = { ...limits, maxMemoryMb, memory: activity.memory };
  const thread = new Worker(new URL('watchdog-thread.mjs', import.meta.url), {
    workerData,
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 },
  });
  thread.on('error', error => log.error({ err: error }, 'the watchdog has died; nothing guards against a stall'));
  thread.unref();
}

/** Past this the engine's or V8's own limit would end the process, with nobody to blame (megabytes). */
function memoryLimit(): number {
  const limit = Math.min(process.constrainedMemory(), getHeapStatistics().heap_size_limit);
  return (0.75 * limit) / 2 ** 20;
}
