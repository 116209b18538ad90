import type { KeyObject } from 'node:crypto';

import type { TrustedKeys } from './envelope.ts';
import { type KeyId, readRootKey, readTrustedKey } from './keys.ts';

/** The minimum time between two reads of the files. */
const MIN_READ_INTERVAL_MS = 1_000;

/**
 * The trusted public keys, from files that can change: those of a release without lists of keys. An unknown key makes it read the files
 * again, so that a rotated key is trusted without a restart.
 *
 * @param read returns the contents of the files.
 * @param now the clock for the end of a key's trust, milliseconds since 1970; a constant 0 trusts every key for ever.
 */
export function trustedKeyFiles(read: () => readonly Uint8Array[], now: () => number = Date.now): TrustedKeys {
  const key = keysIn(() => read().map(readTrustedKey));
  return {
    get: id => {
      const found = key(id);
      return found === undefined || (found.until !== null && found.until <= now()) ? undefined : found.publicKey;
    },
  };
}

/** The public halves of root keys, from files. They are read again for an unknown one. @param read as in {@link trustedKeyFiles} */
export function rootKeyFiles(read: () => readonly Uint8Array[]): TrustedKeys {
  const key = keysIn(() => read().map(readRootKey));
  return { get: id => key(id)?.publicKey };
}

/** Gives the keys that are read by their ids. */
function keysIn<Key extends { readonly id: KeyId; readonly publicKey: KeyObject }>(
  read: () => readonly Key[],
): (id: KeyId) => Key | undefined {
  let keys = new Map<KeyId, Key>();
  let readAt = -Infinity;
  return id => {
    if (!keys.has(id) && performance.now() - readAt >= MIN_READ_INTERVAL_MS) {
      readAt = performance.now();
      keys = new Map(read().map(key => [key.id, key]));
    }
    return keys.get(id);
  };
}
