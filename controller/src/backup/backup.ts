import { encode } from '../../../protocol/codec.ts';
import { readPrivateKeys } from '../store/key-files.ts';
import type { Keyring } from '../store/keyring.ts';
import type { StreamStore } from '../store/stream-store.ts';
import { aboutEntry, type Entry } from './format.ts';
import { encryptKey } from './keys.ts';

export interface BackupSource {
  readonly store: Pick<StreamStore, 'records'>;
  readonly cookie: string;
  readonly keyring: Pick<Keyring, 'knownKeys'>;
  readonly keysDir: string;
  /** With it, the signing key is in the backup, encrypted with it. */
  readonly passphrase: string | null;
}

/** The entries of a backup: the public keys that are believed, and what the stream has. */
export async function* backupEntries(source: BackupSource): AsyncGenerator<Entry, void, undefined> {
  const { store, cookie, keyring, keysDir, passphrase } = source;
  yield aboutEntry(cookie, Date.now());
  for (const key of keyring.knownKeys()) yield { type: 'trust', content: encode({ key, until: null }) };
  if (passphrase !== null) {
    yield { type: 'signing key', content: encryptKey(readPrivateKeys(keysDir), passphrase, cookie) };
  }
  for await (const { subject, data } of store.records()) yield { type: 'record', subject, content: data };
}
