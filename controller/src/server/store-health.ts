import { HotcastError } from '../../../protocol/errors.ts';
import { HEARTBEAT_INTERVAL } from '../../../protocol/limits.ts';
import type { Logger } from '../../../shared/logger.ts';
import { orNullAfter } from '../../../shared/timeout.ts';
import type { Keyring } from '../store/keyring.ts';
import { storageProblem, storageWarning } from '../store/storage.ts';
import type { StreamStore } from '../store/stream-store.ts';

/** NATS answers within this time, or it counts as a fault (milliseconds). */
const ANSWER_TIMEOUT_MS = 5_000;

export interface StoreHealth extends Disposable {
  /** Whether this controller could sign, read and write when it was last looked. */
  readonly isHealthy: () => boolean;
}

/** Looks every 2 seconds whether the controller can sign, read and write, and logs what has changed. */
export async function watchStore(
  store: Pick<StreamStore, 'storage'>,
  keyring: Pick<Keyring, 'check'>,
  log: Logger,
): Promise<StoreHealth> {
  let problem: string | null = null;
  let warning: string | null = null;
  const look = async (): Promise<void> => {
    const found = await findProblem(store, keyring);
    if (found.problem !== problem && found.problem !== null) log.error({}, `nothing can be pushed: ${found.problem}`);
    if (found.problem === null && problem !== null) log.info({}, 'the controller can push again');
    // The numbers in a warning change with each look.
    if (found.warning !== null && warning === null) log.warn({}, found.warning);
    ({ problem, warning } = found);
  };
  await look();
  let isLooking = false;
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    void look().finally(() => (isLooking = false));
  }, HEARTBEAT_INTERVAL);
  return { isHealthy: () => problem === null, [Symbol.dispose]: () => clearInterval(timer) };
}

interface Found {
  readonly problem: string | null;
  readonly warning: string | null;
}

async function findProblem(store: Pick<StreamStore, 'storage'>, keyring: Pick<Keyring, 'check'>): Promise<Found> {
  try {
    keyring.check();
    const storage = await orNullAfter(ANSWER_TIMEOUT_MS, store.storage());
    if (storage === null) return { problem: 'the stream does not answer', warning: null };
    return { problem: storageProblem(storage), warning: storageWarning(storage) };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { problem: error instanceof HotcastError ? text : `the stream can't be read: ${text}`, warning: null };
  }
}
