import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { ensureKeys } from '../../../../../controller/src/services/keygen/ensure-keys.ts';
import { keyFolders, volumeOf } from '../../../../../controller/src/services/keygen/key-folders.ts';
import { takeMachineKeys } from '../../../../../controller/src/services/keygen/machine-files.ts';
import { publicKeyOf, readMachineKeys } from '../../../../../controller/src/services/keygen/machine-keys.ts';

const HUB_URL = 'tls://10.0.0.1:7422';
let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hotcast-machines-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const folders = (machine: string) => keyFolders(join(root, machine), () => userInfo(), volumeOf);
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const keysOf = (machine: string) => readMachineKeys(readFileSync(join(root, `hub/machines/${machine}.json`)));

async function ensure(machines: string[], cookies = ['dino']): Promise<void> {
  const wanted = { cookies, tls: false, hosts: ['nats', '10.0.0.1'], machine: 'hub', machines, forEarlier: false };
  await ensureKeys(folders('hub'), wanted);
}

const take = (machine: string, file = join(root, `hub/machines/${machine}.json`)) =>
  takeMachineKeys(folders(machine), { machineKeys: file, machine, hub: HUB_URL });

it('the hub makes one file for each other machine, and knows of it the public keys', async () => {
  await ensure(['b', 'c'], ['dino', 'rex']);
  const accounts = read('hub/nats/accounts.conf');
  for (const machine of ['b', 'c']) {
    expect(statSync(join(root, `hub/machines/${machine}.json`)).mode & 0o777).toBe(0o400);
    const { link, cookies } = keysOf(machine);
    expect(cookies.map(({ cookie }) => cookie)).toEqual(['dino', 'rex']);
    for (const seed of [link, ...cookies.map(each => each.link)]) {
      expect(accounts).not.toContain(seed);
      expect(accounts.split(`"nkey": "${publicKeyOf(seed)}"`)).toHaveLength(2);
    }
  }
  expect(JSON.parse(accounts)).toMatchObject({ server_name: 'hub', leafnodes: { port: 7422 } });
});

it('keys of machines stay, and one that is not named any more is no user of the hub', async () => {
  await ensure(['b', 'c']);
  const before = [keysOf('b'), keysOf('c')];
  await ensure(['c']);
  expect([keysOf('b'), keysOf('c')]).toEqual(before);
  expect(read('hub/nats/accounts.conf')).not.toContain(publicKeyOf(before[0]?.link ?? ''));
  expect(read('hub/nats/accounts.conf')).toContain(publicKeyOf(before[1]?.link ?? ''));
  await ensure([]);
  expect(JSON.parse(read('hub/nats/accounts.conf'))).not.toHaveProperty('leafnodes');
});

it('a machine gets the keys of its nodes and its agent, what they trust, and nothing with which anything is signed', async () => {
  await ensure(['b']);
  expect(take('b')).toBe('b');
  for (const same of ['node/dino/nats.nk', 'trust/dino/root.pub']) expect(read(`b/${same}`)).toBe(read(`hub/${same}`));
  const file = read('hub/machines/b.json');
  const secrets = [
    'controller/dino/signing.pem',
    'controller/dino/root.pem',
    'auth-callout/issuer.nk',
    'nats/link-key.pem',
  ];
  for (const secret of secrets) expect(file).not.toContain(JSON.stringify(read(`hub/${secret}`)).slice(1, -1));
  for (const role of ['controller', 'roster', 'console', 'observer'])
    expect(file).not.toContain(read(`hub/${role}/dino/nats.nk`));
  const accounts = JSON.parse(read('b/nats/accounts.conf')) as { leafnodes: { remotes: { urls: string[] }[] } };
  expect(accounts).toMatchObject({ server_name: 'b' });
  expect(accounts.leafnodes.remotes.map(({ urls }) => urls)).toEqual([[HUB_URL], [HUB_URL]]);
});

it('a machine takes no keys of another one, and says which file is missing or damaged', async () => {
  await ensure(['b']);
  expect(() => take('c', join(root, 'hub/machines/b.json'))).toThrow(
    'the keys are those of the machine b, and MACHINE is c',
  );
  expect(() => take('b', join(root, 'none.json'))).toThrow(/^the keys of this machine can't be read: .*The hub makes/);
  writeFileSync(join(root, 'damaged.json'), '{"machine":"b"}');
  expect(() => take('b', join(root, 'damaged.json'))).toThrow(/can't be read/);
});
