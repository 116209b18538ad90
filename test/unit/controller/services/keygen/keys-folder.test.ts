import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  makeKeysFolder,
  revokeInFolder,
  rotateInFolder,
} from '../../../../../controller/src/services/keygen/keys-folder.ts';
import type { KeyTrust } from '../../../../../protocol/signing/key-trust.ts';
import { openTrust } from '../../../../../shared/signing/trust.ts';
import { readSigningKey } from '../../../../../protocol/signing/keys.ts';
import { subjectsOf } from '../../../../../protocol/subjects.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hotcast-keys-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const make = (cookies = ['dino'], tls = false) => makeKeysFolder(dir, { cookies, tls, hosts: ['nats'] });
const read = (path: string) => readFileSync(join(dir, path), 'utf8');

interface Mount {
  readonly source: string;
  readonly target: string;
  readonly uid: string;
  readonly mode: number;
}
interface Stack {
  readonly services: Readonly<Record<string, Readonly<Record<'secrets' | 'configs', readonly Mount[]>>>>;
  readonly secrets: Readonly<Record<string, { readonly name: string; readonly file: string }>>;
  readonly configs: Stack['secrets'];
}
const stack = (): Stack => JSON.parse(read('dino.stack.json')) as Stack;
const targets = (service: string, kind: 'secrets' | 'configs') =>
  (stack().services[service]?.[kind] ?? []).map(({ target }) => target);

describe('makeKeysFolder', () => {
  it('gives a node no more than the public half of the root key, and its key at NATS', async () => {
    await make();
    expect(targets('node', 'secrets')).toEqual(['/run/keys/dino/nats.nk']);
    expect(targets('node', 'configs')).toEqual(['/run/trust/dino/root.pub']);
    expect(read('trust/dino/root.pub')).toContain('PUBLIC KEY');
  });

  it('gives no service the root key', async () => {
    await make();
    expect(read('root/dino/root.pem')).toContain('PRIVATE KEY');
    expect(statSync(join(dir, 'root/dino/root.pem')).mode & 0o777).toBe(0o400);
    expect(existsSync(join(dir, 'controller/dino/root.pem'))).toBe(false);
    expect(read('dino.stack.json')).not.toContain('root.pem');
  });

  it('has what is private in secrets alone', async () => {
    await make(['dino'], true);
    const files = Object.values(stack().configs).map(({ file }) => file.replace('${HOTCAST_KEYS:-./keys}/', ''));
    expect(files).toContain('nats/cert.pem');
    expect(files.filter(file => /PRIVATE|^S[UA]/m.test(read(file)))).toEqual([]);
    const secrets = Object.values(stack().secrets).map(({ file }) => file.replace('${HOTCAST_KEYS:-./keys}/', ''));
    expect(secrets.filter(file => !/PRIVATE|^S[UA]/m.test(read(file)))).toEqual([]);
  });

  it('makes a list of keys that whoever has the root key verifies, with the key that signs', async () => {
    await make();
    const trust = openTrust(join(dir, 'trust/dino'), subjectsOf('dino'));
    const { lists } = JSON.parse(read('controller/dino/key-lists.json')) as { lists: { envelope: string }[] };
    const { id } = readSigningKey(read('controller/dino/signing.pem'));
    expect(trust.get(id)).toBeUndefined();
    expect(lists.map(({ envelope }) => trust.take(Buffer.from(envelope, 'base64')).status)).toEqual(['taken']);
    expect(trust.get(id)).toBeDefined();
  });

  it('names what has changed anew, and keeps what is there', async () => {
    await make();
    const [before, key] = [stack(), read('controller/dino/signing.pem')];
    expect(await make(['dino', 'quarry'])).toMatchObject({ made: ['quarry'] });
    expect(read('controller/dino/signing.pem')).toBe(key);
    expect(stack().secrets).toEqual(before.secrets);
    const changed = Object.entries(stack().configs).filter(
      ([source, { name }]) => before.configs[source]?.name !== name,
    );
    // NATS has another account, and whoever admits nodes another user.
    expect(changed.map(([source]) => source)).toEqual(['nats-accounts-conf', 'auth-callout-users-quarry-json']);
  });

  it('gives everything a name that a swarm takes, also with the longest cookie', async () => {
    await makeKeysFolder(dir, { cookies: ['x'.repeat(64)], tls: true, hosts: ['nats'] });
    const { secrets, configs } = JSON.parse(read(`${'x'.repeat(64)}.stack.json`)) as Stack;
    const names = [...Object.values(secrets), ...Object.values(configs)].map(({ name }) => name);
    expect(names.filter(name => !/^[a-zA-Z0-9][a-zA-Z0-9-]{0,62}[a-zA-Z0-9]$/.test(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('a rotation in a folder', () => {
  const names = () => ({ ...stack().secrets, ...stack().configs });
  const trustedNow = (trust: KeyTrust) => {
    const { lists } = JSON.parse(read('controller/dino/key-lists.json')) as { lists: { envelope: string }[] };
    return lists.map(({ envelope }) => {
      const { status } = trust.take(Buffer.from(envelope, 'base64'));
      return status === 'taken' ? ids.filter(id => trust.get(id) !== undefined) : status;
    });
  };
  const ids: string[] = [];
  const signing = () => readSigningKey(read('controller/dino/signing.pem')).id;

  it('changes files of the controller only, and what nodes trust with its lists; what ended does not come back', async () => {
    await make();
    const trust = openTrust(join(dir, 'trust/dino'), subjectsOf('dino'));
    const [before, one] = [names(), signing()];
    ids.splice(0, Infinity, one);
    expect(trustedNow(trust)).toEqual([[one]]);
    const [first] = rotateInFolder(dir, ['dino'], 600_000);
    const two = signing();
    ids.push(two);
    expect(first).toMatchObject({ signing: two, number: 2, trusted: [two, one] });
    const after = names();
    const changed = Object.keys(after).filter(source => after[source]?.name !== before[source]?.name);
    expect(changed).toEqual(['controller-dino-signing-pem', 'controller-dino-key-lists-json']);
    expect(trustedNow(trust)).toEqual([[one, two], [two]]);

    rotateInFolder(dir, ['dino'], 600_000);
    const three = signing();
    ids.push(three);
    expect(trustedNow(trust)).toEqual([[two, three], [three]]);
    expect(() => revokeInFolder(dir, ['dino'], three)).toThrow('is the key that signs');
    revokeInFolder(dir, ['dino'], two);
    expect(trustedNow(trust)).toEqual([[three]]);
    expect(trust.number).toBe(6);
  });

  it('needs the root key', async () => {
    await make();
    rmSync(join(dir, 'root'), { recursive: true });
    const before = [signing(), read('dino.stack.json')];
    expect(() => rotateInFolder(dir, ['dino'], 600_000)).toThrow('there is no root key here');
    expect([signing(), read('dino.stack.json')]).toEqual(before);
  });
});
