import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, type KeyObject } from 'node:crypto';

import * as v from 'valibot';

import { decode, encode } from '../codec.ts';
import { count } from '../schemas.ts';

/** The id of a public key: the first 8 bytes of its SHA-256, 16 hex digits. */
export type KeyId = string;

export const KEY_ID_BYTES = 8;

/** A private Ed25519 key, and its public half: the id, and the SPKI as base64. */
export interface SigningKey {
  readonly id: KeyId;
  readonly publicHalf: string;
  readonly privateKey: KeyObject;
}

const keyRecord = v.object({
  /** The public key, SPKI as base64. */
  key: v.string(),
  /** The end of the trust, milliseconds since 1970; null: no end. */
  until: v.nullable(count),
});

/** A public key, and the end of its trust. */
export interface TrustedKey {
  readonly id: KeyId;
  readonly publicKey: KeyObject;
  readonly until: number | null;
}

/** Makes an Ed25519 key. Returns the text of its file: PKCS #8, PEM. */
export function makeSigningKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
}

/** Reads the file of a signing key. @throws Error when it is invalid */
export function readSigningKey(pem: string): SigningKey {
  const privateKey = createPrivateKey(pem);
  const publicKey = createPublicKey(privateKey);
  return { id: keyIdOf(publicKey), publicHalf: publicKeyText(publicKey), privateKey };
}

/** A public key, SPKI as base64. */
export function publicKeyText(publicKey: KeyObject): string {
  return spki(publicKey).toString('base64');
}

/** A public Ed25519 key and its id, of its SPKI as base64. @throws Error when it is invalid */
export function publicKeyIn(text: string): { readonly id: KeyId; readonly publicKey: KeyObject } {
  const publicKey = createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' });
  if (publicKey.asymmetricKeyType !== 'ed25519') throw new TypeError('it is not an Ed25519 key');
  return { id: keyIdOf(publicKey), publicKey };
}

/** The file of a root key's public half: SPKI, PEM. */
export function rootKeyFile({ privateKey }: SigningKey): string {
  return createPublicKey(privateKey).export({ type: 'spki', format: 'pem' });
}

/** Reads the file of a root key's public half. @throws Error when it is invalid */
export function readRootKey(pem: Uint8Array): Omit<TrustedKey, 'until'> {
  const publicKey = createPublicKey(Buffer.from(pem));
  return { id: keyIdOf(publicKey), publicKey };
}

/** The file of a trusted key as the release before reads it: the public half of a signing key. */
export function trustedKeyFile({ publicHalf: key }: SigningKey, until: number | null): Uint8Array {
  return encode({ key, until });
}

/** The file of a trusted key with another end of its trust (milliseconds since 1970). @throws DecodeError */
export function endingKeyFile(file: Uint8Array, until: number): Uint8Array {
  return encode({ ...decode(keyRecord, file), until });
}

/** Reads the file of a trusted key. @throws DecodeError or Error when it is invalid */
export function readTrustedKey(file: Uint8Array): TrustedKey {
  const { key, until } = decode(keyRecord, file);
  return { ...publicKeyIn(key), until };
}

/** The bytes before the 32 bytes of an Ed25519 key in PKCS #8 and in SPKI (RFC 8410). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

/** The private key of an Ed25519 seed, 32 bytes. */
export function privateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
}

/** An Ed25519 public key from its 32 bytes. */
export function publicKeyOf(bytes: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI, bytes]), format: 'der', type: 'spki' });
}

/** The 32 bytes of an Ed25519 public key. */
export function bytesOf(publicKey: KeyObject): Uint8Array {
  return new Uint8Array(spki(publicKey).subarray(SPKI.length));
}

function keyIdOf(publicKey: KeyObject): KeyId {
  return hash('sha256', spki(publicKey)).slice(0, 2 * KEY_ID_BYTES);
}

function spki(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' });
}
