import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { aboutEntry, type Entry } from '../../../../controller/src/backup/format.ts';
import { encryptKey } from '../../../../controller/src/backup/keys.ts';
import { restoreEntries } from '../../../../controller/src/backup/restore.ts';
import { openKeyring, SIGNING_KEY } from '../../../../controller/src/store/keyring.ts';
import { encode } from '../../../../protocol/codec.ts';
import { signEnvelope, signerOf } from '../../../../protocol/signing/envelope.ts';
import { makeSigningKey, readSigningKey, trustedKeyFile } from '../../../../protocol/signing/keys.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { writeControllerKeys } from '../../../support/controller-keys.ts';
import { headOf } from '../../fixtures.ts';

const PASSPHRASE = 'yabba dabba doo';
const subjects = subjectsOf('dino');
const revision = 'a'.repeat(64);
const pem = makeSigningKey();
const key = readSigningKey(pem);

let folder: string;
const keysDir = () => join(folder, 'keys');
const trustDir = () => join(folder, 'trust');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotcast-restore-'));
  writeControllerKeys(keysDir(), trustDir(), 'dino');
});

afterEach(() => rmSync(folder, { recursive: true }));

/** A record that the backup's key has signed. */
const record = (subject: string, payload: Uint8Array): Entry => ({
  type: 'record',
  subject,
  content: signEnvelope(key, subject, payload),
});

const begin: Entry[] = [
  aboutEntry('dino', 5),
  { type: 'trust', content: trustedKeyFile(key, null) },
  { type: 'signing key', content: encryptKey(Buffer.from(pem), PASSPHRASE, 'dino') },
  record(subjects.head('demo'), encode(headOf('demo', revision, 1))),
];
const bundle = record(subjects.bundle('demo', revision), Buffer.from('packed'));

/** Restores these entries, and the error at which the backup ends. Returns who signed what was written. */
async function restore(entries: readonly Entry[], end: Error | null = null) {
  const keyring = openKeyring(keysDir(), trustDir(), subjects.keys);
  const written = new Map<string, string | null>();
  const store = {
    writeRecord: async (subject: string, content: Uint8Array) =>
      void written.set(subject, signerOf(keyring.sign(subject, content))),
    hasBundle: async () => written.has(subjects.bundle('demo', revision)),
    writeKeyLists: async () => false,
    writeHistory: async (module: string) => void written.set(module, signerOf(keyring.sign(module, new Uint8Array()))),
  };
  async function* read(): AsyncGenerator<Entry, void, undefined> {
    yield* entries;
    if (end !== null) throw end;
  }
  const target = { store, keyring, cookie: 'dino', passphrase: PASSPHRASE, say: () => undefined };
  await restoreEntries(read(), target);
  return written;
}

const keysNow = () => [readFileSync(join(keysDir(), SIGNING_KEY), 'utf8'), readdirSync(trustDir()).toSorted()] as const;

describe('a restore with the signing key', () => {
  it('signs everything with it, and installs it; the keys before it stay trusted', async () => {
    const [, before] = keysNow();
    const written = await restore([...begin, bundle]);
    expect([...written]).toEqual([
      [subjects.bundle('demo', revision), key.id],
      ['demo', key.id],
    ]);
    expect(keysNow()).toEqual([pem, [...before, `${key.id}.json`].toSorted()]);
  });

  it.each<[string, readonly Entry[], Error | null, string]>([
    ['is damaged behind it', begin, new Error('damaged'), 'damaged'],
    ['lacks the bundle of a head', begin, null, 'the backup lacks the bundle of demo@aaaaaaaaaaaa'],
    [
      'has a record that no key has signed',
      [...begin, { ...bundle, content: Buffer.from('unsigned') }],
      null,
      'is not signed',
    ],
  ])('installs nothing when the backup %s', async (_, entries, end, message) => {
    const before = keysNow();
    await expect(restore(entries, end)).rejects.toThrow(message);
    expect(keysNow()).toEqual(before);
  });

  it('works in a cluster that has lost its own', async () => {
    rmSync(join(keysDir(), SIGNING_KEY));
    await restore([...begin, bundle]);
    expect(keysNow()[0]).toBe(pem);
  });
});
