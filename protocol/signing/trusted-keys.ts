import { type KeyId, readTrustedKey, type TrustedKey } from './keys.ts';
import type { TrustedKeys } from './envelope.ts';

/** The minimum time between two reads of the files. */
const MIN_READ_INTERVAL_MS = 1_000;

/**
 * The trusted public keys, from files that can change. An unknown key makes it read the files again, so that a rotated key
 * is trusted without a restart.
 *
 * @param read returns the contents of the files.
 * @param now the clock for the end of a key's trust, milliseconds since 1970; a constant 0 trusts every key for ever.
 */
export function trustedKeyFiles(read: () => readonly Uint8Array[], now: () => number = Date.now): TrustedKeys {
  let keys = new Map<KeyId, TrustedKey>();
  let readAt = -Infinity;
  return {
    get: id => {
      if (!keys.has(id) && performance.now() - readAt >= MIN_READ_INTERVAL_MS) {
        readAt = performance.now();
        keys = new Map(
          read()
            .map(readTrustedKey)
            .map(key => [key.id, key]),
        );
      }
      const key = keys.get(id);
      return key === undefined || (key.until !== null && key.until <= now()) ? undefined : key.publicKey;
    },
  };
}
