import { hash, type KeyObject, sign, verify } from 'node:crypto';

import { KEY_ID_BYTES, type KeyId, type SigningKey } from './keys.ts';

/** The public keys that are trusted now. */
export interface TrustedKeys {
  readonly get: (id: KeyId) => KeyObject | undefined;
}

/** Why an envelope is rejected. */
export type EnvelopeFault =
  /** The bytes are not an envelope. */
  | 'unsigned'
  /** It was signed for another subject: another cookie, module or revision. */
  | 'wrong subject'
  /** The key is not trusted, or no longer. */
  | 'unknown key'
  /** The signature does not match: the envelope was changed. */
  | 'bad signature';

export type Verified =
  | { readonly status: 'verified'; readonly subject: string; readonly payload: Uint8Array; readonly key: KeyId }
  | { readonly status: 'rejected'; readonly fault: EnvelopeFault; readonly subject: string | null };

/** The first bytes of every envelope: `HC`, and the version of the layout. */
const MAGIC = Uint8Array.of(0x48, 0x43, 1);
const SIGNATURE_BYTES = 64;
const SUBJECT_AT = MAGIC.length + KEY_ID_BYTES + SIGNATURE_BYTES;
const PAYLOAD_AT = SUBJECT_AT + 2;

/**
 * Signs a payload for one subject. The envelope is rejected on every other subject, and when a byte of it was changed.
 *
 * Layout: magic (3 bytes), key id (8), Ed25519 signature (64), length of the subject (2, big-endian), subject, payload. The
 * signature is over three lines: `hotcast 1`, the subject, and the SHA-256 of the payload.
 */
export function signEnvelope({ id, privateKey }: SigningKey, subject: string, payload: Uint8Array): Uint8Array {
  const address = Buffer.from(subject);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(address.length);
  const signature = sign(null, statement(address, payload), privateKey);
  return Buffer.concat([MAGIC, Buffer.from(id, 'hex'), signature, length, address, payload]);
}

/** An envelope whose signature is not verified yet. */
export interface Opened {
  readonly status: 'opened';
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly key: KeyId;
  /** Whether the signature matches. Nothing of the payload is read before. */
  readonly isSigned: () => boolean;
}

export type Rejected = Extract<Verified, { readonly status: 'rejected' }>;

/**
 * Verifies an envelope. Nothing of the payload is read before the signature matches.
 *
 * @param subject the message's subject; null accepts the one in the envelope, for envelopes that travel on other subjects.
 */
export function verifyEnvelope(trusted: TrustedKeys, subject: string | null, bytes: Uint8Array): Verified {
  const opened = openEnvelope(trusted, subject, bytes);
  if (opened.status === 'rejected') return opened;
  if (!opened.isSigned()) return rejected('bad signature', subject);
  const { subject: address, payload, key } = opened;
  return { status: 'verified', subject: address, payload, key };
}

/** Checks all of an envelope but its signature. @param subject as in {@link verifyEnvelope}. */
export function openEnvelope(trusted: TrustedKeys, subject: string | null, bytes: Uint8Array): Opened | Rejected {
  const envelope = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (envelope.length < PAYLOAD_AT || !envelope.subarray(0, MAGIC.length).equals(MAGIC)) {
    return rejected('unsigned', subject);
  }
  const key = envelope.toString('hex', MAGIC.length, MAGIC.length + KEY_ID_BYTES);
  const end = PAYLOAD_AT + envelope.readUInt16BE(SUBJECT_AT);
  if (end > envelope.length) return rejected('unsigned', subject);
  const address = envelope.subarray(PAYLOAD_AT, end);
  if (subject !== null && !address.equals(Buffer.from(subject))) return rejected('wrong subject', subject);
  const publicKey = trusted.get(key);
  if (publicKey === undefined) return rejected('unknown key', subject);
  const payload = envelope.subarray(end);
  const signature = envelope.subarray(MAGIC.length + KEY_ID_BYTES, SUBJECT_AT);
  const isSigned = (): boolean => verify(null, statement(address, payload), publicKey, signature);
  return { status: 'opened', subject: address.toString(), payload, key, isSigned };
}

/** The id of the key that signed an envelope; null when the bytes are too short to be one. */
export function signerOf(bytes: Uint8Array): KeyId | null {
  if (bytes.length < PAYLOAD_AT) return null;
  return Buffer.from(bytes.subarray(MAGIC.length, MAGIC.length + KEY_ID_BYTES)).toString('hex');
}

function statement(subject: Uint8Array, payload: Uint8Array): Uint8Array {
  const digest = hash('sha256', payload);
  return Buffer.concat([Buffer.from('hotcast 1\n'), subject, Buffer.from(`\n${digest}\n`)]);
}

function rejected(fault: EnvelopeFault, subject: string | null): Rejected {
  return { status: 'rejected', fault, subject };
}
