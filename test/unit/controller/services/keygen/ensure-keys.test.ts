import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

import { nkeys } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { readPublicKeys } from '../../../../../controller/src/nats-auth/public-keys.ts';
import { ensureKeys } from '../../../../../controller/src/services/keygen/ensure-keys.ts';
import { keyFolders, volumeOf } from '../../../../../controller/src/services/keygen/key-folders.ts';
import { readAuthCalloutKeys } from '../../../../../controller/src/services/keygen/make-keys.ts';
import { KEY_LISTS, readKeyLists } from '../../../../../controller/src/store/key-lists.ts';
import {
  makeSigningKey,
  readSigningKey,
  type SigningKey,
  trustedKeyFile,
} from '../../../../../protocol/signing/keys.ts';
import { subjectsOf } from '../../../../../protocol/subjects.ts';
import { rootKeysIn } from '../../../../../shared/signing/trust.ts';

let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hotcast-keys-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Runs keygen's work on the folders. Every folder belongs to the user who runs the test. */
function ensure(cookies: string[], { tls = false } = {}): Promise<string[]> {
  const me = userInfo();
  return ensureKeys(
    keyFolders(root, () => me, volumeOf),
    { cookies, tls, hosts: ['nats'], machine: 'hub', machines: [], forEarlier: true },
  );
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** The public keys that NATS has of the auth callout, beside those of the seeds in the auth callout's own folder. */
function authCalloutKeys() {
  const publicKey = (file: string): string =>
    nkeys.fromSeed(readFileSync(join(root, 'auth-callout', file))).getPublicKey();
  return {
    nats: readAuthCalloutKeys(readFileSync(join(root, 'nats/auth-callout.json'))),
    own: { user: publicKey('nats.nk'), issuer: publicKey('issuer.nk') },
  };
}

describe('ensureKeys', () => {
  it('makes the keys of every cookie, each file for its reader alone', async () => {
    expect(await ensure(['dino', 'quarry'])).toEqual(['dino', 'quarry']);
    for (const file of ['controller/dino/nats.nk', 'node/quarry/nats.nk', 'auth-callout/users/dino.json']) {
      expect(statSync(join(root, file)).mode & 0o777).toBe(0o400);
    }
    const { nats, own } = authCalloutKeys();
    expect(nats).toEqual(own);
    expect(read('nats/accounts.conf')).toContain('"quarry": {');
  });

  it('keeps the keys that exist, also those of a cookie that is not listed', async () => {
    await ensure(['dino']);
    const [seed, keys] = [read('node/dino/nats.nk'), read('nats/auth-callout.json')];
    expect(await ensure(['quarry'])).toEqual(['quarry']);
    expect([read('node/dino/nats.nk'), read('nats/auth-callout.json')]).toEqual([seed, keys]);
    expect(read('nats/accounts.conf')).toContain('"dino": {');
  });

  it('makes the key of a role that an earlier release did not have', async () => {
    await ensure(['dino']);
    const keys = readPublicKeys(readFileSync(join(root, 'nats/users/dino.json')));
    const { console: _, ...earlier } = keys.users;
    const seed = read('node/dino/nats.nk');
    for (const holder of ['nats', 'auth-callout']) {
      rmSync(join(root, holder, 'users/dino.json'));
      writeFileSync(join(root, holder, 'users/dino.json'), JSON.stringify({ ...keys, users: earlier }));
    }
    rmSync(join(root, 'console'), { recursive: true });
    expect(await ensure(['dino'])).toEqual([]);
    const made = nkeys.fromSeed(readFileSync(join(root, 'console/dino/nats.nk'))).getPublicKey();
    expect(readPublicKeys(readFileSync(join(root, 'nats/users/dino.json'))).users).toEqual({
      ...earlier,
      console: made,
    });
    expect(read('nats/accounts.conf')).toContain(made);
    expect(read('node/dino/nats.nk')).toBe(seed);
  });

  it('writes the keys of later roles where an earlier release, which is checked out again, ignores them', async () => {
    await ensure(['dino']);
    const file = JSON.parse(read('nats/users/dino.json')) as { readonly users: object; readonly later: object };
    expect(Object.keys(file.users).toSorted()).toEqual(['controller', 'node', 'observer', 'roster']);
    expect(Object.keys(file.later)).toEqual(['console']);
    const later = { ...file, later: { ...file.later, oracle: 'U' } };
    expect(readPublicKeys(Buffer.from(JSON.stringify(later)))).toEqual(
      readPublicKeys(Buffer.from(JSON.stringify(file))),
    );
  });

  it.each([
    ['its folder is new', []],
    ['its folder and its name are new', ['nats/auth-callout.json']],
  ])("makes new keys of the auth callout when %s, and writes every cookie's users there", async (_, missing) => {
    await ensure(['dino', 'quarry']);
    const seed = read('node/dino/nats.nk');
    const before = authCalloutKeys().nats;
    for (const path of ['auth-callout', ...missing]) rmSync(join(root, path), { recursive: true });
    expect(await ensure(['dino'])).toEqual([]);
    const { nats, own } = authCalloutKeys();
    expect(nats).toEqual(own);
    expect(nats).not.toEqual(before);
    const accounts = read('nats/accounts.conf');
    expect([accounts.includes(nats.user), accounts.includes(nats.issuer), accounts.includes(before.user)]).toEqual([
      true,
      true,
      false,
    ]);
    for (const cookie of ['dino', 'quarry']) {
      expect(readPublicKeys(readFileSync(join(root, `auth-callout/users/${cookie}.json`)))).toEqual(
        readPublicKeys(readFileSync(join(root, `nats/users/${cookie}.json`))),
      );
    }
    expect(read('node/dino/nats.nk')).toBe(seed);
  });

  it('gives every process the authority of one certificate with TLS, and removes it without TLS', async () => {
    await ensure(['dino'], { tls: true });
    const authority = read('nats/ca.pem');
    const holders = ['auth-callout', 'controller/dino', 'node/dino', 'roster/dino', 'observer/dino', 'console/dino'];
    for (const holder of holders) expect(read(`${holder}/ca.pem`)).toBe(authority);
    expect(read('nats/accounts.conf')).toContain('"tls": {');
    await ensure(['dino']);
    for (const holder of holders) expect(existsSync(join(root, holder, 'ca.pem'))).toBe(false);
    expect(read('nats/accounts.conf')).not.toContain('"tls"');
    await ensure(['dino'], { tls: true });
    expect(read('node/dino/ca.pem')).toBe(authority);
  });
});

describe('the keys that sign', () => {
  const lists = () => {
    const roots = rootKeysIn(join(root, 'trust/dino'));
    const file = readFileSync(join(root, 'controller/dino', KEY_LISTS));
    return readKeyLists(roots, subjectsOf('dino').keys, file).map(({ list }) => list);
  };
  const signing = () => readSigningKey(read('controller/dino/signing.pem')).publicHalf;

  it('get a root key, and a list, when an earlier release has made them; those of it that ended do too', async () => {
    await ensure(['dino']);
    for (const file of ['controller/dino/root.pem', 'controller/dino/key-lists.json', 'trust/dino/root.pub'])
      rmSync(join(root, file));
    const [ending, ended] = [readSigningKey(makeSigningKey()), readSigningKey(makeSigningKey())];
    const add = (key: SigningKey, until: number) =>
      writeFileSync(join(root, 'trust/dino', `${key.id}.json`), trustedKeyFile(key, until));
    add(ending, Date.now() + 60_000);
    add(ended, Date.now() - 1);
    expect(await ensure(['dino'])).toEqual([]);
    expect(lists()).toEqual([{ number: 1, trusted: [signing(), ending.publicHalf], ended: [ended.publicHalf] }]);
    expect(statSync(join(root, 'controller/dino/root.pem')).mode & 0o777).toBe(0o400);
  });

  it('stay when the root key is kept elsewhere', async () => {
    await ensure(['dino']);
    const before = lists();
    rmSync(join(root, 'controller/dino/root.pem'));
    await ensure(['dino']);
    expect([lists(), existsSync(join(root, 'controller/dino/root.pem'))]).toEqual([before, false]);
  });

  it('are trusted beside the new ones when all keys are made anew, so that what they have signed can be read', async () => {
    await ensure(['dino']);
    const [before, rootKey] = [signing(), read('trust/dino/root.pub')];
    rmSync(join(root, 'nats'), { recursive: true });
    expect(await ensure(['dino'])).toEqual(['dino']);
    expect(read('trust/dino/root.pub')).not.toBe(rootKey);
    expect(lists()).toEqual([{ number: 1, trusted: [signing(), before], ended: [] }]);
  });
});
