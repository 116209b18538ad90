import { hash, sign, verify } from 'node:crypto';

import type { EnvelopeFault, TrustedKeys } from './envelope.ts';
import { KEY_ID_BYTES, type KeyId, type SigningKey } from './keys.ts';

/** The head that a push will commit: the SHA-256 of its envelope, and the key that has signed that and the push. */
export interface PushedHead {
  readonly hash: Uint8Array;
  readonly key: KeyId;
}

export type VerifiedPush =
  | { readonly status: 'verified'; readonly head: PushedHead }
  | { readonly status: 'rejected'; readonly fault: EnvelopeFault };

const SIGNATURE_BYTES = 64;
const HASH_BYTES = 32;
const HASH_AT = KEY_ID_BYTES + SIGNATURE_BYTES;

/**
 * Signs a push of one module: the envelope of its bundle, which nodes get first, and that of its head, which they get when all are
 * prepared. With it, a node verifies one signature for both. The envelopes have their own signatures all the same, for whoever gets
 * only one of them.
 *
 * The head stays secret until the commit: only its hash is said, and nobody else can make the signature in its envelope.
 *
 * Layout, in base64: key id (8 bytes), Ed25519 signature (64), SHA-256 of the head's envelope (32). The signature is over four
 * lines: `hotcast push 1`, the subject of the bundle, and the SHA-256 of both envelopes.
 */
export function signPush(
  { id, privateKey }: SigningKey,
  subject: string,
  bundle: Uint8Array,
  head: Uint8Array,
): string {
  const headHash = hash('sha256', head, 'buffer');
  const signature = sign(null, statement(subject, bundle, headHash), privateKey);
  return Buffer.concat([Buffer.from(id, 'hex'), signature, headHash]).toString('base64');
}

/**
 * Verifies the signature of a push.
 *
 * @param subject the subject of the bundle's message.
 * @param bundle the envelope in that message. When the push is verified, it is as the controller has signed it.
 */
export function verifyPush(trusted: TrustedKeys, subject: string, bundle: Uint8Array, push: string): VerifiedPush {
  const bytes = Buffer.from(push, 'base64');
  if (bytes.length !== HASH_AT + HASH_BYTES) return { status: 'rejected', fault: 'unsigned' };
  const key = bytes.toString('hex', 0, KEY_ID_BYTES);
  const publicKey = trusted.get(key);
  if (publicKey === undefined) return { status: 'rejected', fault: 'unknown key' };
  const headHash = bytes.subarray(HASH_AT);
  const isSigned = verify(null, statement(subject, bundle, headHash), publicKey, bytes.subarray(KEY_ID_BYTES, HASH_AT));
  return isSigned
    ? { status: 'verified', head: { hash: headHash, key } }
    : { status: 'rejected', fault: 'bad signature' };
}

/** Whether an envelope is that of the head of a verified push. */
export function isPushed({ hash: expected }: PushedHead, head: Uint8Array): boolean {
  return hash('sha256', head, 'buffer').equals(expected);
}

function statement(subject: string, bundle: Uint8Array, headHash: Buffer): Buffer {
  return Buffer.from(`hotcast push 1\n${subject}\n${hash('sha256', bundle)}\n${headHash.toString('hex')}\n`);
}
