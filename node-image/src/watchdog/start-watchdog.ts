import { Worker } from 'node:worker_threads';

import type { Logger } from '../../../shared/logger.ts';
import { SOURCE_POSITION, type ActivityBuffer } from './activity-buffer.ts';
import { LIVE_MEMORY_ABOVE } from './memory-inspector.ts';
import { readRestarts, writeRestarts } from './restarts.ts';

/** The data of the watchdog's thread. */
export interface WatchdogData {
  /** The memory of the main thread's {@link ActivityBuffer}. */
  readonly memory: SharedArrayBuffer;
  readonly eventLoopTimeoutMs: number;
  /** The limits of live and of resident memory (MB). */
  readonly memoryLimits: { readonly liveMb: number; readonly residentMb: number };
  /** What makes these limits lower than the settings, as a sentence; null when nothing does. */
  readonly memoryNote: string | null;
  readonly bansFile: string;
  readonly restartsFile: string;
  /** The node's name, for the log. */
  readonly node: string;
}

interface WatchdogDeps extends Omit<WatchdogData, 'memory'> {
  /** The script of the thread. It is a bundle of its own, without a second copy of the node's libraries. */
  readonly script: URL;
  readonly activity: ActivityBuffer;
  /** Maps a position in a bundle to the source file; null when it is not known. */
  readonly sourcePosition: (position: string) => string | null;
  /** Returns live memory when it is above a limit, null otherwise (MB). */
  readonly liveMemoryAbove: (limitMb: number) => number | null;
  readonly log: Logger;
}

/** The maximum time between two beats of the main thread (milliseconds), and their share of the timeout. */
const MAX_BEAT_INTERVAL_MS = 500;
const BEAT_SHARE = 0.2;

/**
 * Starts a thread that kills the process when a module blocks the event loop, or when the process has too much memory. The
 * thread first bans the revision that is to blame, if there is one.
 */
export function startWatchdog(deps: WatchdogDeps): AsyncDisposable {
  const { script, activity, sourcePosition, liveMemoryAbove, log, ...limits } = deps;
  Object.defineProperty(globalThis, SOURCE_POSITION, { value: sourcePosition, configurable: true });
  Object.defineProperty(globalThis, LIVE_MEMORY_ABOVE, { value: liveMemoryAbove, configurable: true });
  const interval = Math.min(MAX_BEAT_INTERVAL_MS, BEAT_SHARE * limits.eventLoopTimeoutMs);
  const timer = setInterval(() => activity.beat(), interval).unref();
  const workerData: WatchdogData = { ...limits, memory: activity.memory };
  const thread = new Worker(script, {
    workerData,
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 },
  });
  thread.on('error', error => log.error({ err: error }, 'the watchdog failed; stalls are not detected any more'));
  thread.unref();
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await thread.terminate();
      endAlarm(limits.restartsFile);
      Reflect.deleteProperty(globalThis, SOURCE_POSITION);
      Reflect.deleteProperty(globalThis, LIVE_MEMORY_ABOVE);
    },
  };
}

/** A process that is told to stop has not been ended for its memory. */
function endAlarm(restartsFile: string): void {
  const restarts = readRestarts(restartsFile);
  if (restarts.alarmMb !== null) writeRestarts(restartsFile, { ...restarts, alarmMb: null });
}
