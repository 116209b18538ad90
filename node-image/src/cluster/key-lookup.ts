import { keysById } from '../../../protocol/signing/key-list.ts';
import type { Logger } from '../../../shared/logger.ts';
import { RejectedError, type Verifier } from '../admission/verifier.ts';

/** The minimum time between two looks for an unknown key (milliseconds): who sends such keys has no node read all the time. */
const MIN_INTERVAL_MS = 1_000;

/**
 * Looks for a newer list of keys when something is signed with a key that is not known.
 *
 * @param read reads the newest list from the stream.
 */
export function createKeyLookup(read: () => Promise<void>) {
  let lookedAt = -Infinity;
  let looking: Promise<void> | null = null;
  return {
    /** Whether a look is worth it: none was made just now, or one is under way. */
    isDue: (): boolean => looking !== null || performance.now() - lookedAt >= MIN_INTERVAL_MS,
    /** Rejects when the stream can't be read. */
    look: (): Promise<void> => {
      lookedAt = performance.now();
      looking ??= read().finally(() => (looking = null));
      return looking;
    },
  };
}

/**
 * Takes a list of keys that was read or sent. One that is not signed, or that this node can't read, is logged: it keeps what it has.
 *
 * @returns whether it is a list.
 */
export function takeKeyList(verifier: Verifier, bytes: Uint8Array, log: Logger): boolean {
  try {
    const list = verifier.takeKeyList(bytes);
    if (list !== null) log.info({ number: list.number, keys: [...keysById(list.trusted).keys()] }, 'trusts other keys');
    return true;
  } catch (error) {
    // The verifier logs what is not signed.
    if (!(error instanceof RejectedError)) log.error({ err: error }, 'a list of keys could not be read');
    return false;
  }
}
