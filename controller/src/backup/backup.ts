import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { readJsonFiles } from '../../../shared/files.ts';
import { SIGNING_KEY } from '../store/keyring.ts';
import type { StreamStore } from '../store/stream-store.ts';
import { aboutEntry, type Entry } from './format.ts';
import { encryptKey } from './keys.ts';

export interface BackupSource {
  readonly store: Pick<StreamStore, 'records'>;
  readonly cookie: string;
  readonly trustDir: string;
  readonly keysDir: string;
  /** With it, the signing key is in the backup, encrypted with it. */
  readonly passphrase: string | null;
}

/** The entries of a backup: the public keys that nodes trust, and what the stream has. */
export async function* backupEntries(source: BackupSource): AsyncGenerator<Entry, void, undefined> {
  const { store, cookie, trustDir, keysDir, passphrase } = source;
  yield aboutEntry(cookie, Date.now());
  for (const content of readJsonFiles(trustDir)) yield { type: 'trust', content };
  if (passphrase !== null) {
    const pem = readFileSync(join(keysDir, SIGNING_KEY));
    yield { type: 'signing key', content: encryptKey(pem, passphrase, cookie) };
  }
  for await (const { subject, data } of store.records()) yield { type: 'record', subject, content: data };
}
