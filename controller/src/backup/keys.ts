import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';

import { UsageError } from '../../../protocol/errors.ts';

const CIPHER = 'aes-256-gcm';
const SALT_BYTES = 16;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** The cost of a guess: 32 MiB and about 0.1 s. */
const SCRYPT = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 2 ** 20 } as const;

/** The shortest passphrase. */
const MIN_PASSPHRASE = 8;

/**
 * Encrypts a private key with a passphrase: salt, IV and tag of AES-256-GCM, then the ciphertext. The key of the cipher is
 * scrypt's.
 *
 * @param cookie is authenticated with it.
 * @throws UsageError when the passphrase is too short.
 */
export function encryptKey(pem: Uint8Array, passphrase: string, cookie: string): Uint8Array {
  if (passphrase.length < MIN_PASSPHRASE) {
    throw new UsageError(`the passphrase must have ${MIN_PASSPHRASE} characters at least (HOTCAST_PASSPHRASE)`);
  }
  const [salt, iv] = [randomBytes(SALT_BYTES), randomBytes(IV_BYTES)];
  const cipher = createCipheriv(CIPHER, keyOf(passphrase, salt), iv).setAAD(Buffer.from(cookie));
  const encrypted = Buffer.concat([cipher.update(pem), cipher.final()]);
  return Buffer.concat([salt, iv, cipher.getAuthTag(), encrypted]);
}

/** Decrypts what {@link encryptKey} has encrypted. @throws UsageError when the passphrase is another one, or bytes were changed */
export function decryptKey(bytes: Uint8Array, passphrase: string, cookie: string): string {
  const [ivAt, tagAt] = [SALT_BYTES, SALT_BYTES + IV_BYTES];
  const textAt = tagAt + TAG_BYTES;
  try {
    const key = keyOf(passphrase, bytes.subarray(0, ivAt));
    const options = { authTagLength: TAG_BYTES };
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(ivAt, tagAt), options)
      .setAAD(Buffer.from(cookie))
      .setAuthTag(bytes.subarray(tagAt, textAt));
    return Buffer.concat([decipher.update(bytes.subarray(textAt)), decipher.final()]).toString();
  } catch (cause) {
    throw new UsageError('the signing key of the backup has another passphrase (HOTCAST_PASSPHRASE), or is damaged', {
      cause,
    });
  }
}

function keyOf(passphrase: string, salt: Uint8Array): Buffer {
  return scryptSync(passphrase, salt, 32, SCRYPT);
}
