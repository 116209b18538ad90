import type { KeyObject } from 'node:crypto';

import type { EnvelopeFault, TrustedKeys } from './envelope.ts';
import { keysById, type KeyList, verifyKeyList } from './key-list.ts';
import type { KeyId } from './keys.ts';

/** What came of a list that was shown. */
export type TakenList =
  | { readonly status: 'taken'; readonly list: KeyList }
  /** It is the present list, or an older one. */
  | { readonly status: 'known' }
  | { readonly status: 'rejected'; readonly fault: EnvelopeFault };

interface Options {
  /** The public halves of the root keys, which sign lists. */
  readonly roots: TrustedKeys;
  /** The subject of the cookie's lists. */
  readonly subject: string;
  /** The keys that are trusted until there is a list: those that the release before has written into files. */
  readonly earlier: TrustedKeys;
}

/**
 * The keys that are trusted: those of the newest list that a root key has signed and that was shown. Which list is newer is what their
 * numbers say, so no clock takes part, and an old list that is shown again changes nothing.
 */
export class KeyTrust implements TrustedKeys {
  readonly #options: Options;
  #present: { readonly list: KeyList; readonly root: KeyId; readonly keys: ReadonlyMap<KeyId, KeyObject> } | null =
    null;

  constructor(options: Options) {
    this.#options = options;
  }

  /** The number of the present list; 0 when there is none. */
  get number(): number {
    return this.#present?.list.number ?? 0;
  }

  get(id: KeyId): KeyObject | undefined {
    return this.#present === null ? this.#options.earlier.get(id) : this.#present.keys.get(id);
  }

  /** Takes a list in its envelope, if it is newer than the present one. @throws DecodeError or Error when this process can't read it */
  take(envelope: Uint8Array): TakenList {
    const { roots, subject } = this.#options;
    const verified = verifyKeyList(roots, subject, envelope);
    if (verified.status === 'rejected') return verified;
    const { list, root } = verified;
    // With another root key, numbers begin anew.
    const isCounted = this.#present !== null && roots.get(this.#present.root) !== undefined;
    if (isCounted && list.number <= this.number) return { status: 'known' };
    this.#present = { list, root, keys: keysById(list.trusted) };
    return { status: 'taken', list };
  }
}
