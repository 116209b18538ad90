import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { replaceFile } from '../../../shared/files.ts';
import { rootKeysIn } from '../../../shared/signing/trust.ts';
import { UsageError } from '../../../protocol/errors.ts';
import type { TrustedKeys } from '../../../protocol/signing/envelope.ts';
import { signEnvelope, signerOf, verifyEnvelope } from '../../../protocol/signing/envelope.ts';
import { type KeyList, keysById, verifyKeyList } from '../../../protocol/signing/key-list.ts';
import {
  type KeyId,
  makeSigningKey,
  publicKeyIn,
  readSigningKey,
  type SigningKey,
} from '../../../protocol/signing/keys.ts';
import { signPush } from '../../../protocol/signing/push-signature.ts';
import {
  type DueList,
  KEY_LISTS,
  keyListsFile,
  listWithout,
  ROOT_KEY,
  rotatedLists,
  signKeyLists,
} from './key-lists.ts';
import {
  earlierKeys,
  KeyError,
  newestKeyLists,
  newestSigningKey,
  readRootKey,
  SIGNING_KEY,
  splitPrivateKeys,
} from './key-files.ts';

export { KeyError, SIGNING_KEY } from './key-files.ts';

/** A list of keys, in its envelope. */
export type SignedList = Pick<DueList, 'list' | 'envelope'>;

/** What a backup has beside the key that signs: see {@link splitPrivateKeys}. */
type Adopted = Pick<ReturnType<typeof splitPrivateKeys>, 'rootKey' | 'lists'>;

/** What a new key to sign with changes. */
export interface Rotation {
  readonly key: KeyId;
  /** The keys that nodes trust beside it, until the second of its lists is in force. */
  readonly previous: readonly KeyId[];
  /** Signs with it from now on. Nodes have to trust it by then: its first list is in the stream. */
  readonly install: () => void;
}

/** Signs what nodes apply, and verifies what was signed for this cookie before. */
export interface Keyring {
  /** Puts a payload into an envelope, signed for the subject that it is written to. @throws KeyError */
  readonly sign: (subject: string, payload: Uint8Array) => Uint8Array;
  /** Signs a push: the envelope of its bundle, with the subject that it is written to, and that of its head. See {@link signPush}. */
  readonly signPush: (subject: string, bundle: Uint8Array, head: Uint8Array) => string;
  /** The payload of what was found on a subject; null when no key of this cookie has signed it for that. */
  readonly verify: (subject: string, bytes: Uint8Array) => Uint8Array | null;
  /** @throws KeyError when nothing can be signed */
  readonly check: () => void;
  /** When the key was made that it signs with, milliseconds since 1970. @throws KeyError */
  readonly madeAt: () => number;
  /** Whether an envelope was signed with the present key. */
  readonly isCurrent: (bytes: Uint8Array) => boolean;
  /** Whether an envelope was signed with the present key, or with one that nodes trust and that no list which is to follow revokes. */
  readonly isTrusted: (bytes: Uint8Array) => boolean;
  /** The key that signs; null when nothing can be signed. */
  readonly signer: () => KeyId | null;
  /** The public keys whose signatures {@link verify} believes, SPKI as base64. */
  readonly knownKeys: () => readonly string[];
  /** The list in force: the newest that was in the stream. Null: there was none. */
  readonly inForce: () => SignedList | null;
  /** Takes note of a list that is in the stream. @returns its number; null when no root key has signed it */
  readonly takeKeyList: (envelope: Uint8Array) => number | null;
  /** The list of the controller's files that is to follow the one in force; null when there is none. */
  readonly nextKeyList: () => DueList | null;
  /** @throws KeyError when nodes trust the key that signs, and would not with this list */
  readonly checkSigning: (list: KeyList) => void;
  /** Makes a new key to sign with, and the lists with which nodes trust it: first beside those before it, then alone. @throws KeyError */
  readonly rotate: (overlapMs: number) => Rotation;
  /** Makes the list with which nobody believes a key any more. @throws KeyError, and UsageError when it can't be that key */
  readonly revoke: (key: KeyId) => void;
  /** Signs with the key of a backup from now on, of which nobody else knows before it is installed. @returns the key's id. */
  readonly adopt: (privateKeys: string) => KeyId;
  /** Has nodes trust the key that was adopted, and the controller sign with it. The keys that are trusted stay trusted. @throws KeyError */
  readonly install: () => void;
}

/**
 * A keyring from the controller's folders of keys. Files that were replaced are seen at their next use.
 *
 * @param subject the subject of the cookie's lists of keys.
 * @param rootDir the folder of the root key, which may be missing.
 */
export function openKeyring(keysDir: string, trustDir: string, subject: string, rootDir = keysDir): Keyring {
  const roots = rootKeysIn(trustDir);
  const earlier = earlierKeys(trustDir);
  const newest = newestSigningKey(keysDir);
  const fileLists = newestKeyLists(keysDir, roots, subject);
  let adopted: (Adopted & { readonly pem: string; readonly key: SigningKey }) | null = null;
  let present: (SignedList & { readonly root: KeyId }) | null = null;
  let known: { readonly list: KeyList; readonly keys: TrustedKeys } | null = null;

  /** The list in force. With another root key than that of the newest one, lists begin anew. */
  const inForce = (): SignedList | null => (present === null || roots.get(present.root) === undefined ? null : present);
  const numberInForce = (): number => inForce()?.list.number ?? 0;
  const pending = (): readonly DueList[] => fileLists().filter(({ list }) => list.number > numberInForce());

  /** The list whose keys are believed: that in force, or the one that will be the first. */
  const believed = (): KeyList | null => inForce()?.list ?? fileLists()[0]?.list ?? null;

  const trust: TrustedKeys = {
    get: id => {
      const list = believed();
      if (list === null) return earlier.keys.get(id);
      // History that an ended key has signed can still be read here.
      if (known?.list !== list) known = { list, keys: keysById([...list.trusted, ...list.ended]) };
      return known.keys.get(id);
    },
  };

  const signingKey = (): SigningKey => {
    if (adopted !== null) return adopted.key;
    const key = newest.key();
    const current = inForce();
    if (current === null) return key;
    if ([current, ...pending()].some(({ list }) => list.trusted.includes(key.publicHalf))) return key;
    throw new KeyError(
      `nodes do not trust the signing key ${key.id}: list ${current.list.number} of the keys does not have it, so nothing can be ` +
        'signed; make a new one: hotcast keys rotate; nothing restarts',
    );
  };

  const signer = (): KeyId | null => {
    try {
      return signingKey().id;
    } catch (error) {
      if (error instanceof KeyError) return null;
      throw error;
    }
  };

  const isTrusted = (bytes: Uint8Array): boolean => {
    const id = signerOf(bytes);
    if (id === null || id === signer()) return id !== null;
    const isOf = (keys: readonly string[]): boolean => keys.some(key => publicKeyIn(key).id === id);
    const isRevoked = pending().some(({ list }) => !isOf(list.trusted) && !isOf(list.ended));
    return isOf(believed()?.trusted ?? []) && !isRevoked;
  };

  /** Whether a public key is that of the key that signs. No key is, when it is lost. */
  const isSigning = (publicKey: string): boolean => {
    try {
      return (adopted?.key ?? newest.key()).publicHalf === publicKey;
    } catch (error) {
      if (error instanceof KeyError) return false;
      throw error;
    }
  };

  /** Signs lists with the root key, and has the controller write them into the stream. */
  const putLists = (lists: readonly (KeyList & { readonly afterMs: number })[]): void => {
    const signed = signKeyLists(readRootKey(rootDir, roots), subject, lists);
    replaceKeyFile(join(keysDir, KEY_LISTS), keyListsFile(signed));
  };
  /** Takes over the root key of a backup, where this controller has lost its own: the same, whose public half nodes have. */
  const installRoot = ({ rootKey, lists }: Adopted): void => {
    const file = join(rootDir, ROOT_KEY);
    if (rootKey === null || existsSync(file) || roots.get(readSigningKey(rootKey).id) === undefined) return;
    replaceKeyFile(file, rootKey);
    if (lists !== null && fileLists().length === 0) replaceKeyFile(join(keysDir, KEY_LISTS), lists);
  };
  const highest = (): number => Math.max(numberInForce(), ...fileLists().map(({ list }) => list.number));

  return {
    check: () => void signingKey(),
    madeAt: () => {
      signingKey();
      return newest.writtenAt();
    },
    sign: (at, payload) => signEnvelope(signingKey(), at, payload),
    signPush: (at, bundle, head) => signPush(signingKey(), at, bundle, head),
    verify: (at, bytes) => {
      const verified = verifyEnvelope(trust, at, bytes);
      return verified.status === 'verified' ? verified.payload : null;
    },
    isCurrent: bytes => signerOf(bytes) === signingKey().id,
    isTrusted,
    signer,
    knownKeys: () => {
      const list = believed();
      return list === null ? earlier.publicKeys() : [...list.trusted, ...list.ended];
    },
    inForce,
    takeKeyList: envelope => {
      const verified = verifyKeyList(roots, subject, envelope);
      if (verified.status === 'rejected') return null;
      const { list, root } = verified;
      if (list.number > numberInForce()) present = { list, envelope, root };
      return list.number;
    },
    nextKeyList: () => pending()[0] ?? null,
    checkSigning: ({ number, trusted }) => {
      if (!inForce()?.list.trusted.some(isSigning) || trusted.some(isSigning)) return;
      throw new KeyError(
        `list ${number} of the keys does not have the key that signs, so it is not written: the controller needs the key that belongs to it`,
      );
    },
    rotate: overlapMs => {
      const pem = makeSigningKey();
      const key = readSigningKey(pem);
      const lists = rotatedLists(believed(), highest(), key.publicHalf, overlapMs);
      putLists(lists);
      earlier.rotate(key, Date.now() + overlapMs);
      const [, ...previous] = lists[0].trusted.map(each => publicKeyIn(each).id);
      return { key: key.id, previous, install: () => replaceKeyFile(join(keysDir, SIGNING_KEY), pem) };
    },
    revoke: id => {
      const list = pending().at(-1)?.list ?? believed();
      const all = [...(list?.trusted ?? []), ...(list?.ended ?? [])];
      const publicKey = all.find(each => publicKeyIn(each).id === id);
      if (list === null || publicKey === undefined) throw new UsageError(`no key that is believed has the id ${id}`);
      if (signingKey().id === id) {
        throw new UsageError(`${id} is the key that signs; make another one first: hotcast keys rotate --overlap 10s`);
      }
      putLists([listWithout(list, highest(), publicKey)]);
      earlier.remove(id);
    },
    adopt: text => {
      const { signingKey: pem, ...others } = splitPrivateKeys(text);
      const key = readSigningKey(pem ?? text);
      adopted = { pem: pem ?? text, key, ...others };
      return key.id;
    },
    install: () => {
      if (adopted === null) return;
      const { pem, key } = adopted;
      const publicKey = key.publicHalf;
      installRoot(adopted);
      const list = believed();
      const later = pending().map(each => each.list);
      if (list === null || [list, ...later].some(({ trusted }) => !trusted.includes(publicKey))) {
        const [first] = rotatedLists(list, highest(), publicKey, 0);
        putLists([first]);
        earlier.rotate(key, null);
      }
      replaceKeyFile(join(keysDir, SIGNING_KEY), pem);
    },
  };
}

/** @throws KeyError when the folder can't be written: the keys are a stack's secrets */
function replaceKeyFile(file: string, content: string | Uint8Array): void {
  try {
    replaceFile(file, content, 0o400);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new KeyError(
      `the keys of this controller can't be changed here (${why}); make new ones in the folder that they come from: ` +
        'hotcast keys rotate --folder DIR',
      { cause },
    );
  }
}
