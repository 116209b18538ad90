import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { readJsonFiles, replaceFile } from '../../../shared/files.ts';
import { UnavailableError } from '../../../protocol/errors.ts';
import type { TrustedKeys } from '../../../protocol/signing/envelope.ts';
import {
  endingKeyFile,
  type KeyId,
  publicKeyText,
  readSigningKey,
  readTrustedKey,
  type SigningKey,
  trustedKeyFile,
} from '../../../protocol/signing/keys.ts';
import { trustedKeyFiles } from '../../../protocol/signing/trusted-keys.ts';
import { type DueList, KEY_LISTS, readKeyLists, ROOT_KEY } from './key-lists.ts';

/** The file with the controller's signing key, in its folder of keys. */
export const SIGNING_KEY = 'signing.pem';

/** Nothing can be signed. */
export class KeyError extends UnavailableError {}

/**
 * Gives the signing key as its file has it now, and when that was written. A file that is the same one as before is not read again: a rotation puts
 * another in its place.
 *
 * @throws KeyError when there is none, or it can't be read.
 */
export function newestSigningKey(keysDir: string) {
  const file = join(keysDir, SIGNING_KEY);
  const newest = newestContent(file, bytes => readSigningKey(bytes.toString()));
  const read = () => {
    try {
      return newest();
    } catch (cause) {
      throw new KeyError(keyProblem(file, cause), { cause });
    }
  };
  return { key: () => read().content, writtenAt: () => Number(read().writtenAt / 1_000_000n) };
}

/** Gives the lists of keys as their file has them now; none when there is no such file, or it can't be read. */
export function newestKeyLists(keysDir: string, roots: TrustedKeys, subject: string): () => readonly DueList[] {
  const newest = newestContent(join(keysDir, KEY_LISTS), bytes => readKeyLists(roots, subject, bytes));
  return () => {
    try {
      return newest().content;
    } catch {
      return [];
    }
  };
}

/** The private keys of a controller, for a backup: the one that signs, the root key if it is there, and the lists that it has signed. */
export function readPrivateKeys(keysDir: string): Uint8Array {
  const files = [SIGNING_KEY, ROOT_KEY, KEY_LISTS].map(name => join(keysDir, name));
  return Buffer.concat(
    files.map((file, index) => (index === 0 || existsSync(file) ? readFileSync(file) : Buffer.alloc(0))),
  );
}

/** What {@link readPrivateKeys} has read. A release without root keys reads, and wrote, the first alone. */
export function splitPrivateKeys(text: string): Record<'signingKey' | 'rootKey' | 'lists', string | null> {
  const [signingKey = null, rootKey = null] = text.match(/-----BEGIN [^]*?-----END .*-----\n/g) ?? [];
  const [lists = null] = /\{.*\}/s.exec(text) ?? [];
  return { signingKey, rootKey, lists };
}

/** The root key, in its folder. @throws KeyError when it is not there, or nodes know another one */
export function readRootKey(rootDir: string, roots: TrustedKeys): SigningKey {
  const file = join(rootDir, ROOT_KEY);
  const elsewhere = 'make keys in the folder that has it: hotcast keys rotate --folder DIR';
  let root: SigningKey;
  try {
    root = readSigningKey(readFileSync(file, 'utf8'));
  } catch (cause) {
    const why = isMissing(cause) ? `there is no root key here (${file})` : `the root key can't be read (${file})`;
    throw new KeyError(`${why}, with which keys are made; ${elsewhere}`, { cause });
  }
  if (roots.get(root.id) === undefined) throw new KeyError(`nodes know another root key than ${file}; ${elsewhere}`);
  return root;
}

/** The files of trusted keys that nodes of the release before read. They are kept as long as there are some. */
export function earlierKeys(trustDir: string) {
  const fileOf = (id: KeyId): string => join(trustDir, `${id}.json`);
  return {
    /** What these files say is trusted for ever here. */
    keys: trustedKeyFiles(
      () => readJsonFiles(trustDir),
      () => 0,
    ),
    publicKeys: (): string[] => readJsonFiles(trustDir).map(file => publicKeyText(readTrustedKey(file).publicKey)),

    /** Has such nodes trust a key, and the others until a moment (milliseconds since 1970; null: as long as before). */
    rotate: (key: SigningKey, until: number | null): void => {
      const files = readJsonFiles(trustDir);
      if (files.length === 0) return;
      replaceFile(fileOf(key.id), trustedKeyFile(key, null), 0o400);
      if (until === null) return;
      for (const file of files) {
        const before = readTrustedKey(file);
        if (before.id === key.id || (before.until !== null && before.until <= until)) continue;
        replaceFile(fileOf(before.id), endingKeyFile(file, until), 0o400);
      }
    },

    remove: (id: KeyId): void => rmSync(fileOf(id), { force: true }),
  };
}

/** Gives what a file has now, and when it was written (nanoseconds). @throws the file system's error, or that of `parse` */
function newestContent<T>(file: string, parse: (bytes: Buffer) => T) {
  let known: { readonly content: T; readonly inode: bigint; readonly writtenAt: bigint } | null = null;
  return (): NonNullable<typeof known> => {
    const { ino: inode, mtimeNs: writtenAt } = statSync(file, { bigint: true });
    if (known?.inode !== inode || known.writtenAt !== writtenAt) {
      known = { content: parse(readFileSync(file)), inode, writtenAt };
    }
    return known;
  };
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** What is wrong with the signing key, and what to do. A rotation does not need the key before it. */
function keyProblem(file: string, error: unknown): string {
  const what = isMissing(error)
    ? `the signing key is lost (there is no ${file})`
    : `the signing key can't be read (${file}: ${error instanceof Error ? error.message : String(error)})`;
  return `${what}, so nothing can be signed; make a new one: hotcast keys rotate; nothing restarts`;
}
