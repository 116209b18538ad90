import type { KeyObject } from 'node:crypto';

import { type KeyId, readTrustedKey, type TrustedKey } from './keys.ts';
import type { TrustedKeys } from './envelope.ts';

/** The minimum time between two reads of the files. */
const MIN_READ_INTERVAL_MS = 1_000;

/**
 * The trusted public keys, from files that can change. An unknown key makes it read the files again, so that a rotated key
 * is trusted without a restart.
 */
export class TrustedKeyFiles implements TrustedKeys {
  readonly #read: () => readonly Uint8Array[];
  readonly #now: () => number;
  #keys = new Map<KeyId, TrustedKey>();
  #readAt = -Infinity;

  /**
   * @param read returns the contents of the files.
   * @param now the clock for the end of a key's trust, milliseconds since 1970; a constant 0 trusts every key for ever.
   */
  constructor(read: () => readonly Uint8Array[], now: () => number = Date.now) {
    this.#read = read;
    this.#now = now;
  }

  get(id: KeyId): KeyObject | undefined {
    const key = this.#known(id);
    return key === undefined || (key.until !== null && key.until <= this.#now()) ? undefined : key.publicKey;
  }

  #known(id: KeyId): TrustedKey | undefined {
    const isDue = performance.now() - this.#readAt >= MIN_READ_INTERVAL_MS;
    if (isDue && !this.#keys.has(id)) this.#readAll();
    return this.#keys.get(id);
  }

  #readAll(): void {
    this.#readAt = performance.now();
    this.#keys = new Map(
      this.#read()
        .map(file => readTrustedKey(file))
        .map(key => [key.id, key]),
    );
  }
}
