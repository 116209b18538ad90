import type { KeyObject } from 'node:crypto';

import { type KeyId, readTrustedKey, type TrustedKey } from './keys.ts';
import type { TrustedKeys } from './envelope.ts';

/** The files of trusted keys are read again this long after the last time at the earliest (milliseconds). */
const READ_AGAIN_AFTER = 1_000;

/**
 * The public keys that are trusted, from files that may change: they are read again when a key comes up that is not known,
 * so a key that was rotated is trusted without a restart.
 */
export class TrustedKeyFiles implements TrustedKeys {
  readonly #read: () => readonly Uint8Array[];
  readonly #now: () => number;
  #keys = new Map<KeyId, TrustedKey>();
  #readAt = -Infinity;

  /**
   * @param read gives the files' contents.
   * @param now the clock against which a key's end is held, milliseconds since 1970; a constant 0 trusts every key for ever.
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
    const isDue = performance.now() - this.#readAt >= READ_AGAIN_AFTER;
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
