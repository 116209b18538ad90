import type { KeyObject } from 'node:crypto';

import * as v from 'valibot';

import { decodeRecord, encodeRecord } from '../codec.ts';
import { count } from '../schemas.ts';
import { type EnvelopeFault, signEnvelope, type TrustedKeys, verifyEnvelope } from './envelope.ts';
import { type KeyId, publicKeyIn, type SigningKey } from './keys.ts';

/** So many keys can be in a list, at each of its two places. */
const MAX_KEYS = 256;

const keys = v.pipe(v.array(v.string()), v.maxLength(MAX_KEYS));

const keyListSchema = v.object({
  /** The number of the list: one with a higher number replaces one with a lower. */
  number: v.pipe(count, v.minValue(1)),
  /** The public keys that nodes trust, SPKI as base64. */
  trusted: keys,
  /** Those that nodes trusted before, and that nobody has stolen: a controller still reads what they have signed. */
  ended: keys,
});

/** The public keys of a cookie that sign, as its root key has signed them. */
export type KeyList = v.InferOutput<typeof keyListSchema>;

export type VerifiedKeyList =
  /** `root`: the key that has signed it. */
  | { readonly status: 'verified'; readonly list: KeyList; readonly root: KeyId }
  | { readonly status: 'rejected'; readonly fault: EnvelopeFault };

/** Signs a list with the root key, for the subject of the cookie's lists. */
export function signKeyList(root: SigningKey, subject: string, list: KeyList): Uint8Array {
  return signEnvelope(root, subject, encodeRecord(list));
}

/**
 * Verifies that a root key has signed a list for this subject.
 *
 * @param roots the public halves of the root keys. No other key can sign a list, and these can sign nothing else.
 * @throws DecodeError when a root key has signed what this process can't read.
 */
export function verifyKeyList(roots: TrustedKeys, subject: string, envelope: Uint8Array): VerifiedKeyList {
  const verified = verifyEnvelope(roots, subject, envelope);
  if (verified.status === 'rejected') return { status: 'rejected', fault: verified.fault };
  return { status: 'verified', list: decodeRecord(keyListSchema, verified.payload), root: verified.key };
}

/** Public keys of a list by their ids. @throws Error when one is no Ed25519 key */
export function keysById(publicKeys: readonly string[]): Map<KeyId, KeyObject> {
  return new Map(publicKeys.map(text => publicKeyIn(text)).map(({ id, publicKey }) => [id, publicKey]));
}
