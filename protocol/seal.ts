import { hash, type KeyObject, sign, verify } from 'node:crypto';

import { KEY_ID_BYTES, type KeyId, type SigningKey } from './keys.ts';

/** The public keys that are trusted now. */
export interface TrustedKeys {
  readonly get: (id: KeyId) => KeyObject | undefined;
}

/** Why bytes are not obeyed. */
export type SealFault =
  /** They carry no seal that can be read. */
  | 'unsealed'
  /** The seal was made for another subject: another cookie, module or revision. */
  | 'misplaced'
  /** The key that they name is not trusted, or not any more. */
  | 'unknown key'
  /** The signature does not fit: something was changed. */
  | 'forged';

export type Opened =
  | { readonly status: 'opened'; readonly subject: string; readonly payload: Uint8Array; readonly key: KeyId }
  | { readonly status: 'faulty'; readonly fault: SealFault; readonly subject: string | null };

/** Begins every seal: `HC`, and the version of what follows. */
const MAGIC = Uint8Array.of(0x48, 0x43, 1);
const SIGNATURE_BYTES = 64;
const SUBJECT_AT = MAGIC.length + KEY_ID_BYTES + SIGNATURE_BYTES;
const PAYLOAD_AT = SUBJECT_AT + 2;

/**
 * Seals a payload for one subject: what arrives anywhere else, or changed, is not obeyed.
 *
 * Layout: magic (3 bytes), the key's id (8), an Ed25519 signature (64), the subject's length (2, big-endian), the subject,
 * the payload. What is signed: `hotcast 1`, the subject, and the payload's SHA-256, a line each.
 */
export function seal({ id, privateKey }: SigningKey, subject: string, payload: Uint8Array): Uint8Array {
  const address = Buffer.from(subject);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(address.length);
  const signature = sign(null, statement(address, payload), privateKey);
  return Buffer.concat([MAGIC, Buffer.from(id, 'hex'), signature, length, address, payload]);
}

/**
 * Opens what was sealed. Nothing of the payload is looked at before the signature fits.
 *
 * @param subject where it was found; null takes what the seal itself says, for sealed bytes that are sent elsewhere.
 */
export function open(trusted: TrustedKeys, subject: string | null, bytes: Uint8Array): Opened {
  const sealed = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (sealed.length < PAYLOAD_AT || !sealed.subarray(0, MAGIC.length).equals(MAGIC)) return faulty('unsealed', subject);
  const key = sealed.toString('hex', MAGIC.length, MAGIC.length + KEY_ID_BYTES);
  const end = PAYLOAD_AT + sealed.readUInt16BE(SUBJECT_AT);
  if (end > sealed.length) return faulty('unsealed', subject);
  const address = sealed.subarray(PAYLOAD_AT, end);
  if (subject !== null && !address.equals(Buffer.from(subject))) return faulty('misplaced', subject);
  const publicKey = trusted.get(key);
  if (publicKey === undefined) return faulty('unknown key', subject);
  const payload = sealed.subarray(end);
  const signature = sealed.subarray(MAGIC.length + KEY_ID_BYTES, SUBJECT_AT);
  if (!verify(null, statement(address, payload), publicKey, signature)) return faulty('forged', subject);
  return { status: 'opened', subject: address.toString(), payload, key };
}

/** The id of the key that sealed these bytes; null when they carry no seal. */
export function sealedBy(bytes: Uint8Array): KeyId | null {
  if (bytes.length < PAYLOAD_AT) return null;
  return Buffer.from(bytes.subarray(MAGIC.length, MAGIC.length + KEY_ID_BYTES)).toString('hex');
}

function statement(subject: Uint8Array, payload: Uint8Array): Uint8Array {
  const digest = hash('sha256', payload);
  return Buffer.concat([Buffer.from('hotcast 1\n'), subject, Buffer.from(`\n${digest}\n`)]);
}

function faulty(fault: SealFault, subject: string | null): Opened {
  return { status: 'faulty', fault, subject };
}
