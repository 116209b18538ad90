import type { Logger } from '../../../shared/logger.ts';
import type { Helper } from './helper-process.ts';

/** How often the helpers are checked (milliseconds). */
const CHECK_INTERVAL_MS = 5_000;

export interface Supervisor extends Disposable {
  /** Whether every helper ran, or could be started again, at the last check. */
  readonly isHealthy: boolean;
}

/** Starts the helpers. Later it checks them: one that has ended is named in the log, and started again. */
export function supervise(helpers: readonly Helper[], log: Logger, intervalMs = CHECK_INTERVAL_MS): Supervisor {
  let isHealthy = true;
  let isDisposed = false;
  let timer: NodeJS.Timeout | undefined;
  /** Says how a helper has ended. Returns whether it has. */
  const nameEnd = (helper: Helper): boolean => {
    const end = helper.takeEnd();
    if (end !== null) log.warn({}, `${end}; it is started again`);
    return end !== null;
  };
  const startOne = async (helper: Helper): Promise<boolean> => {
    nameEnd(helper);
    try {
      await helper.start();
      return true;
    } catch (error) {
      // It can end just while it is checked.
      if (!isDisposed && !nameEnd(helper)) log.error({ err: error }, 'a process that builds modules did not start');
      return false;
    }
  };
  const check = async (): Promise<void> => {
    const started = await Promise.all(helpers.map(startOne));
    isHealthy = started.every(Boolean);
    if (!isDisposed) timer = setTimeout(() => void check(), intervalMs);
  };
  void check();
  return {
    get isHealthy() {
      return isHealthy;
    },
    [Symbol.dispose]: () => {
      isDisposed = true;
      clearTimeout(timer);
    },
  };
}
