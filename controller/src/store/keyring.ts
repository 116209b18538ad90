import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { readJsonFiles, replaceFile } from '../../../shared/files.ts';
import { UnavailableError } from '../../../protocol/errors.ts';
import {
  endingKeyFile,
  type KeyId,
  makeSigningKey,
  readSigningKey,
  readTrustedKey,
  type SigningKey,
  trustedKeyFile,
} from '../../../protocol/signing/keys.ts';
import { signEnvelope, signerOf, verifyEnvelope } from '../../../protocol/signing/envelope.ts';
import { signPush } from '../../../protocol/signing/push-signature.ts';
import { trustedKeyFiles } from '../../../protocol/signing/trusted-keys.ts';

/** The file with the controller's signing key, in its folder of keys. */
export const SIGNING_KEY = 'signing.pem';

/** Signs what nodes apply, and verifies what was signed for this cookie before. */
export interface Keyring {
  /** Puts a payload into an envelope, signed for the subject that it is written to. */
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
  /**
   * Makes a new key to sign with. Nodes trust it from now on, and those before it until a moment (milliseconds since 1970).
   *
   * @returns the new key's id.
   */
  readonly rotate: (until: number) => KeyId;
  /** Signs with another key from now on, of which nobody else knows before it is installed. @returns the key's id. */
  readonly adopt: (pem: string) => KeyId;
  /** Has nodes trust the key that was adopted, and the controller sign with it. The keys that were trusted stay trusted. */
  readonly install: () => void;
}

/** A keyring from the controller's folders of keys. A signing key that was rotated is seen at its next use. */
export function openKeyring(keysDir: string, trustDir: string): Keyring {
  const trust = trustedKeyFiles(
    () => readJsonFiles(trustDir),
    // History that an ended key has signed can still be read here.
    () => 0,
  );
  const newest = newestSigningKey(keysDir);
  let adopted: { readonly pem: string; readonly key: SigningKey } | null = null;
  const signingKey = (): SigningKey => adopted?.key ?? newest.key();
  return {
    check: () => void signingKey(),
    madeAt: () => newest.writtenAt(),
    sign: (subject, payload) => signEnvelope(signingKey(), subject, payload),
    signPush: (subject, bundle, head) => signPush(signingKey(), subject, bundle, head),
    verify: (subject, bytes) => {
      const verified = verifyEnvelope(trust, subject, bytes);
      return verified.status === 'verified' ? verified.payload : null;
    },
    isCurrent: bytes => signerOf(bytes) === signingKey().id,
    rotate: until => {
      const pem = makeSigningKey();
      const key = readSigningKey(pem);
      replaceFile(join(trustDir, `${key.id}.json`), trustedKeyFile(key, null), 0o400);
      // Trusted first: a node may meet what the new key has signed at any moment from here.
      for (const file of readJsonFiles(trustDir)) {
        const before = readTrustedKey(file);
        if (before.id === key.id || (before.until !== null && before.until <= until)) continue;
        replaceFile(join(trustDir, `${before.id}.json`), endingKeyFile(file, until), 0o400);
      }
      replaceFile(join(keysDir, SIGNING_KEY), pem, 0o400);
      return key.id;
    },
    adopt: pem => {
      adopted = { pem, key: readSigningKey(pem) };
      return adopted.key.id;
    },
    install: () => {
      if (adopted === null) return;
      const { pem, key } = adopted;
      replaceFile(join(trustDir, `${key.id}.json`), trustedKeyFile(key, null), 0o400);
      replaceFile(join(keysDir, SIGNING_KEY), pem, 0o400);
    },
  };
}

/**
 * Gives the signing key as its file has it now, and when that was written. A file that is the same one as before is not read again: a rotation puts
 * another in its place.
 *
 * @throws KeyError when there is none, or it can't be read.
 */
function newestSigningKey(keysDir: string) {
  const file = join(keysDir, SIGNING_KEY);
  let known: { readonly key: SigningKey; readonly inode: bigint; readonly writtenAt: bigint } | null = null;
  const read = (): NonNullable<typeof known> => {
    try {
      const { ino: inode, mtimeNs: writtenAt } = statSync(file, { bigint: true });
      if (known?.inode !== inode || known.writtenAt !== writtenAt)
        known = { key: readSigningKey(readFileSync(file, 'utf8')), inode, writtenAt };
      return known;
    } catch (cause) {
      throw new KeyError(keyProblem(file, cause), { cause });
    }
  };
  return { key: () => read().key, writtenAt: () => Number(read().writtenAt / 1_000_000n) };
}

/** Nothing can be signed. */
export class KeyError extends UnavailableError {}

/** What is wrong with the signing key, and what to do. A rotation does not need the key before it. */
function keyProblem(file: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  const what =
    code === 'ENOENT'
      ? `the signing key is lost (there is no ${file})`
      : `the signing key can't be read (${file}: ${error instanceof Error ? error.message : String(error)})`;
  return `${what}, so nothing can be signed; make a new one: hotcast keys rotate; nothing restarts`;
}
