import { createWriteStream } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

import { UnavailableError, UsageError } from '../../../protocol/errors.ts';
import { inboxPrefix } from '../../../protocol/inboxes.ts';
import { subjectsOf } from '../../../protocol/subjects.ts';
import { openConnection } from '../../../shared/nats/connection.ts';
import { orNullAfter } from '../../../shared/timeout.ts';
import { type Keyring, openKeyring } from '../store/keyring.ts';
import { openStore, type StreamStore } from '../store/stream-store.ts';
import { backupEntries } from './backup.ts';
import { readBackup, writeBackup } from './format.ts';
import { restoreEntries, type RestorePlan } from './restore.ts';

export interface BackupConfig {
  readonly cookie: string;
  readonly natsUrl: string;
  readonly keysDir: string;
  readonly trustDir: string;
  readonly streamMaxBytes: number;
}

export interface BackupOptions {
  /** A path; `-` is the standard output, or the standard input. */
  readonly file: string;
  /** Encrypts the signing key; null leaves it out. */
  readonly passphrase: string | null;
}

/** NATS accepts a connection within this time, or the command fails (milliseconds). */
const CONNECT_TIMEOUT_MS = 5_000;

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Writes the stream and the trusted keys into a file. Another file of that name stays until the new one is whole. */
export async function backUp(config: BackupConfig, { file, passphrase }: BackupOptions): Promise<void> {
  await withStore(config, async store => {
    const bytes = writeBackup(backupEntries({ ...config, store, passphrase }));
    if (file === '-') return pipeline(bytes, process.stdout, { end: false });
    await pipeline(bytes, createWriteStream(`${file}.part`, { mode: 0o600 }));
    await rename(`${file}.part`, file);
  });
}

/** Writes what the stream lacks of a backup: see {@link restoreEntries}. */
export async function restoreFrom(
  config: BackupConfig,
  { file, passphrase }: BackupOptions,
  say: (line: string) => void,
): Promise<RestorePlan> {
  return withStore(config, async (store, keyring) => {
    const bytes = file === '-' ? process.stdin : (await open(file)).createReadStream();
    return restoreEntries(readBackup(bytes), { ...config, store, keyring, passphrase, say });
  });
}

async function withStore<T>(
  config: BackupConfig,
  use: (store: StreamStore, keyring: Keyring) => Promise<T>,
): Promise<T> {
  const options = { name: 'hotcast-backup', inboxPrefix: inboxPrefix('controller'), waitOnFirstConnect: false };
  const { cookie, keysDir, trustDir, streamMaxBytes: maxBytes } = config;
  const nats = await orNullAfter(CONNECT_TIMEOUT_MS, openConnection(config, options, silent));
  if (nats === null) throw new UnavailableError(`NATS does not answer at ${config.natsUrl} (see: make logs)`);
  try {
    const keyring = openKeyring(keysDir, trustDir);
    return await use(await openStore(nats, { cookie, subjects: subjectsOf(cookie), keyring, maxBytes }), keyring);
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw new UsageError(error.message, { cause: error });
    throw error;
  } finally {
    await nats.close();
  }
}
