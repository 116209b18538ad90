import { createReadStream, createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

import type { NatsConnection } from '@nats-io/transport-node';

import { UnavailableError, UsageError } from '../../../protocol/errors.ts';
import { inboxPrefix } from '../../../protocol/inboxes.ts';
import { subjectsOf } from '../../../protocol/subjects.ts';
import { openConnection } from '../../../shared/nats/connection.ts';
import { orNullAfter } from '../../../shared/timeout.ts';
import { openAudit } from '../store/audit.ts';
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
  readonly auditFile: string;
}

export interface BackupOptions {
  /** A path; `-` is the standard output, or the standard input. */
  readonly file: string;
  /** Encrypts the signing key; null leaves it out. */
  readonly passphrase: string | null;
  /** Who does it, for the audit. */
  readonly author: string;
  /** Receives what the user should know. */
  readonly say: (line: string) => void;
}

/** NATS accepts a connection within this time, or the command fails (milliseconds). */
const CONNECT_TIMEOUT_MS = 5_000;

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Writes the stream and the trusted keys into a file. Another file of that name stays until the new one is whole. */
export async function backUp(config: BackupConfig, { file, passphrase, author, say }: BackupOptions): Promise<void> {
  await withStore(config, async ({ store, keyring, nats }) => {
    const bytes = writeBackup(backupEntries({ ...config, store, keyring, passphrase }));
    if (file === '-') await pipeline(bytes, process.stdout, { end: false });
    else {
      await pipeline(bytes, createWriteStream(`${file}.part`, { mode: 0o600 }));
      await rename(`${file}.part`, file);
    }
    const detail = passphrase === null ? 'without the signing key' : 'with the signing key, encrypted';
    const entry = { at: Date.now(), change: null, author, command: 'backup', modules: [], outcome: 'done', detail };
    const { cookie, auditFile } = config;
    try {
      await (await openAudit(nats, cookie, subjectsOf(cookie), auditFile)).write(entry);
    } catch (error) {
      // A backup is wanted most when NATS can't write.
      say(`the audit could not be written: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
}

/** Writes what the stream lacks of a backup: see {@link restoreEntries}. */
export async function restoreFrom(
  config: BackupConfig,
  { file, passphrase, say }: BackupOptions,
): Promise<RestorePlan> {
  return withStore(config, async ({ store, keyring }) => {
    const bytes = file === '-' ? process.stdin : createReadStream(file);
    try {
      return await restoreEntries(readBackup(bytes), { ...config, store, keyring, passphrase, say });
    } finally {
      bytes.destroy();
    }
  });
}

interface Opened {
  readonly store: StreamStore;
  readonly keyring: Keyring;
  readonly nats: NatsConnection;
}

async function withStore<T>(config: BackupConfig, use: (opened: Opened) => Promise<T>): Promise<T> {
  const options = { name: 'hotcast-backup', inboxPrefix: inboxPrefix('controller'), waitOnFirstConnect: false };
  const { cookie, keysDir, trustDir, streamMaxBytes: maxBytes } = config;
  const nats = await orNullAfter(CONNECT_TIMEOUT_MS, openConnection(config, options, silent));
  if (nats === null) throw new UnavailableError(`NATS does not answer at ${config.natsUrl} (see: docker compose logs)`);
  try {
    const keyring = openKeyring(keysDir, trustDir, subjectsOf(cookie).keys);
    const store = await openStore(nats, { cookie, subjects: subjectsOf(cookie), keyring, maxBytes });
    return await use({ store, keyring, nats });
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw new UsageError(error.message, { cause: error });
    throw error;
  } finally {
    await nats.close();
  }
}
