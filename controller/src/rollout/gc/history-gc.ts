import type { Logger } from '../../../../shared/logger.ts';
import type { StreamStore } from '../../store/stream-store.ts';

/** How often the histories are collected (milliseconds). Between two collections, a history can grow. */
const GC_INTERVAL = 60_000;

/** Removes from the stream what the histories of modules do not keep: now, and from time to time until it is disposed. */
export function startHistoryGc(store: StreamStore, log: Logger): Disposable {
  const collect = async (): Promise<void> => {
    try {
      for (const module of await store.modulesWithLongHistory()) await store.collectHistory(module);
    } catch (error) {
      log.warn({ err: error }, 'old heads could not be removed; trying again');
    }
  };
  void collect();
  const timer = setInterval(() => void collect(), GC_INTERVAL);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
