import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { UsageError } from '../../../../protocol/errors.ts';
import { publicKeyIn, readSigningKey } from '../../../../protocol/signing/keys.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { PUBLIC_KEYS_FOLDER } from '../../nats-auth/public-keys.ts';
import { type Keyring, openKeyring, SIGNING_KEY } from '../../store/keyring.ts';
import type { KeygenConfig } from './config.ts';
import { ensureKeys } from './ensure-keys.ts';
import { keyFolders } from './key-folders.ts';
import type { Holder } from './make-keys.ts';
import { mountedFiles, stackFile } from './stack-file.ts';

/** The stack file of a cookie, in a folder of keys. */
export interface StackFile {
  /** It gives each service its keys. */
  readonly file: string;
  /** The names of the secrets and configs, each with a hash of its content. */
  readonly names: readonly string[];
}

/** What has become of a cookie's keys. */
export interface ChangedKeys {
  readonly cookie: string;
  /** The id of the key that signs. */
  readonly signing: string;
  /** The number of the list that follows next, and the ids of the keys that nodes trust then. */
  readonly number: number;
  readonly trusted: readonly string[];
  readonly stack: StackFile;
}

/** The name of the stack file of a cookie, in the folder. */
const stackName = (cookie: string): string => `${cookie}.stack.json`;

/**
 * Makes the keys of cookies in a folder, as far as they are missing, for clusters whose processes share no volumes: a folder for each
 * process, one for the root keys, and for each cookie a stack file that gives each service its files as secrets and configs.
 *
 * @returns the cookies whose keys were made, and the stack files.
 * @throws UsageError when the folder can't be written
 */
export async function makeKeysFolder(
  dir: string,
  { cookies, tls, hosts }: Pick<KeygenConfig, 'cookies' | 'tls' | 'hosts'>,
): Promise<{ readonly made: readonly string[]; readonly stacks: readonly StackFile[] }> {
  try {
    const me = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    const folders = keyFolders(dir, () => me);
    const made = await ensureKeys(folders, { cookies, tls, hosts, machine: '', machines: [], forEarlier: false });
    return { made, stacks: cookies.map(cookie => writeStackFile(dir, cookie)) };
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/** Writes the stack file for the keys that a folder has now: what has changed has another name. */
export function writeStackFile(dir: string, cookie: string): StackFile {
  const known = readdirSync(join(dir, 'nats', PUBLIC_KEYS_FOLDER)).map(file => basename(file, '.json'));
  const files = mountedFiles(cookie, known.toSorted(), path => readIfThere(join(dir, path)));
  const file = stackName(cookie);
  writeFileSync(join(dir, file), stackFile(files));
  return { file, names: files.map(({ name }) => name) };
}

function readIfThere(file: string): Uint8Array | null {
  try {
    return readFileSync(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/**
 * Makes a new key to sign with for each cookie, and the lists with which nodes trust it.
 *
 * @param overlapMs how long nodes trust the keys before it (milliseconds).
 * @throws KeyError without the root key
 */
export function rotateInFolder(dir: string, cookies: readonly string[], overlapMs: number): ChangedKeys[] {
  return cookies.map(cookie => changeKeys(dir, cookie, keyring => keyring.rotate(overlapMs).install()));
}

/** Makes a list without a key for each cookie. @throws KeyError without the root key, UsageError when it can't be that key */
export function revokeInFolder(dir: string, cookies: readonly string[], key: string): ChangedKeys[] {
  return cookies.map(cookie => changeKeys(dir, cookie, keyring => keyring.revoke(key)));
}

function changeKeys(dir: string, cookie: string, change: (keyring: Keyring) => void): ChangedKeys {
  const of = (holder: Holder): string => join(dir, holder, cookie);
  const open = (): Keyring => openKeyring(of('controller'), of('trust'), subjectsOf(cookie).keys, of('root'));
  const keyring = open();
  // The lists before are taken to be in force: what ended with the last of them does not come back.
  for (let list = keyring.nextKeyList(); list !== null; list = keyring.nextKeyList())
    keyring.takeKeyList(list.envelope);
  change(keyring);
  const next = open().nextKeyList();
  const { id } = readSigningKey(readFileSync(join(of('controller'), SIGNING_KEY), 'utf8'));
  const trusted = (next?.list.trusted ?? []).map(text => publicKeyIn(text).id);
  return { cookie, signing: id, number: next?.list.number ?? 0, trusted, stack: writeStackFile(dir, cookie) };
}
