import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { readPrivateKeys } from '../../../../controller/src/store/key-files.ts';
import { KEY_LISTS, ROOT_KEY } from '../../../../controller/src/store/key-lists.ts';
import { type Keyring, openKeyring, SIGNING_KEY } from '../../../../controller/src/store/keyring.ts';
import { signKeyList } from '../../../../protocol/signing/key-list.ts';
import { makeSigningKey, publicKeyIn, readSigningKey, readTrustedKey } from '../../../../protocol/signing/keys.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { openTrust } from '../../../../shared/signing/trust.ts';
import { writeControllerKeys } from '../../../support/controller-keys.ts';

let folder: string;
const subjects = subjectsOf('dino');
const keysDir = () => join(folder, 'keys');
const trustDir = () => join(folder, 'trust');
const keyFile = (name = SIGNING_KEY) => join(keysDir(), name);
const open = () => openKeyring(keysDir(), trustDir(), subjects.keys);
const text = (keyring: Keyring, signed: Uint8Array) => Buffer.from(keyring.verify('a', signed) ?? []).toString();
const ids = (keys: readonly string[] = []) => keys.map(key => publicKeyIn(key).id);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotcast-keyring-'));
  writeControllerKeys(keysDir(), trustDir(), 'dino');
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Has the lists that are due be in the stream. Those that wait for the end of an overlap are due with `all`. */
function publish(keyring: Keyring, all = false): void {
  for (let next = keyring.nextKeyList(); next !== null; next = keyring.nextKeyList()) {
    if (next.afterMs > 0 && !all) return;
    keyring.takeKeyList(next.envelope);
  }
}

function opened(): Keyring {
  const keyring = open();
  publish(keyring);
  return keyring;
}

describe('a keyring', () => {
  it.each([
    ['is lost', null, 'the signing key is lost (there is no '],
    ['is not a key', 'not a key', "the signing key can't be read ("],
  ])('whose signing key %s says so, and the command that works', (_, content, why) => {
    rmSync(keyFile());
    if (content !== null) writeFileSync(keyFile(), content);
    const keyring = open();
    expect(keyring.check).toThrow(why);
    expect(() => keyring.sign('a', new Uint8Array())).toThrow('make a new one: hotcast keys rotate');
  });

  it('signs again after a rotation, without the key that is lost', () => {
    const keyring = opened();
    const signed = keyring.sign('a', Buffer.from('text'));
    rmSync(keyFile());
    expect(keyring.check).toThrow('the signing key is lost');
    const { install } = keyring.rotate(0);
    publish(keyring);
    install();
    expect(keyring.isCurrent(keyring.sign('a', Buffer.from('text')))).toBe(true);
    expect(text(keyring, signed)).toBe('text');
  });

  it('trusts the new key beside the one before it, then alone, and reads what both have signed', () => {
    const keyring = opened();
    const [before = ''] = ids(keyring.inForce()?.list.trusted);
    const signed = keyring.sign('a', Buffer.from('text'));
    const { key, previous, install } = keyring.rotate(60_000);
    expect(previous).toEqual([before]);
    publish(keyring);
    install();
    expect(ids(keyring.inForce()?.list.trusted)).toEqual([key, before]);
    publish(keyring, true);
    expect(keyring.inForce()?.list).toMatchObject({
      number: 3,
      trusted: [expect.anything()],
      ended: [expect.anything()],
    });
    expect(text(keyring, signed)).toBe('text');
    expect(keyring.isCurrent(signed)).toBe(false);
  });

  it('signs with no key that nodes do not trust', () => {
    const keyring = opened();
    writeFileSync(`${keyFile()}.other`, makeSigningKey());
    rmSync(keyFile());
    writeFileSync(keyFile(), readFileSync(`${keyFile()}.other`));
    expect(keyring.check).toThrow('nodes do not trust the signing key');
    expect(() => keyring.madeAt()).toThrow('hotcast keys rotate');
  });

  it('reads nothing any more that a revoked key has signed', () => {
    const keyring = opened();
    const [before = ''] = ids(keyring.inForce()?.list.trusted);
    const signed = keyring.sign('a', Buffer.from('text'));
    expect(() => keyring.revoke(before)).toThrow('is the key that signs');
    const { key, install } = keyring.rotate(60_000);
    publish(keyring);
    install();
    keyring.revoke(before);
    publish(keyring);
    expect(keyring.verify('a', signed)).toBeNull();
    // What would have ended its trust later is not due any more.
    expect([ids(keyring.inForce()?.list.trusted), keyring.nextKeyList()]).toEqual([[key], null]);
    expect(() => keyring.revoke(before)).toThrow('no key that is believed');
  });

  it('knows a list that would end the trust in the key that signs', () => {
    const keyring = opened();
    const { install } = keyring.rotate(60_000);
    publish(keyring);
    const last = keyring.nextKeyList()?.list ?? { number: 0, trusted: [], ended: [] };
    expect(() => keyring.checkSigning(last)).toThrow('list 3 of the keys does not have the key that signs');
    install();
    expect(() => keyring.checkSigning(last)).not.toThrow();
    rmSync(keyFile());
    expect(() => keyring.checkSigning(last)).not.toThrow();
  });

  it('takes no list that the root key has not signed, and no older one for the newest', () => {
    const keyring = opened();
    const first = keyring.inForce()?.envelope ?? new Uint8Array();
    keyring.rotate(0);
    publish(keyring);
    expect(keyring.takeKeyList(first)).toBe(1);
    expect(keyring.inForce()?.list.number).toBe(3);
    const signing = readSigningKey(readFileSync(keyFile(), 'utf8'));
    const forged = { number: 9, trusted: [signing.publicHalf], ended: [] };
    expect(keyring.takeKeyList(signKeyList(signing, subjects.keys, forged))).toBeNull();
    const root = readSigningKey(readFileSync(keyFile(ROOT_KEY), 'utf8'));
    expect(keyring.takeKeyList(signKeyList(root, subjectsOf('quarry').keys, forged))).toBeNull();
    expect(keyring.inForce()?.list.number).toBe(3);
  });

  it('has nodes of the release before follow a rotation too, as long as there are their files', () => {
    const keyring = opened();
    const [before = ''] = ids(keyring.inForce()?.list.trusted);
    const { key } = keyring.rotate(60_000);
    const files = readdirSync(trustDir()).filter(file => file.endsWith('.json'));
    const keys = files.map(file => readTrustedKey(readFileSync(join(trustDir(), file))));
    expect(new Map(keys.map(({ id, until }) => [id, until === null]))).toEqual(
      new Map([
        [key, true],
        [before, false],
      ]),
    );
    keyring.rotate(0).install();
    publish(keyring, true);
    keyring.revoke(before);
    expect(existsSync(join(trustDir(), `${before}.json`))).toBe(false);
  });
});

describe('a keyring without the root key', () => {
  it('makes no keys, says where they are made, and follows those that it is given', () => {
    const keyring = opened();
    const [root, signing] = [ROOT_KEY, SIGNING_KEY].map(name => readFileSync(keyFile(name), 'utf8'));
    rmSync(keyFile(ROOT_KEY));
    expect(() => keyring.rotate(0)).toThrow('hotcast keys rotate --folder DIR');
    expect(keyring.check).not.toThrow();

    // Elsewhere, with the root key.
    const other = join(folder, 'elsewhere');
    writeControllerKeys(other, join(folder, 'unused'), 'dino');
    for (const [name, content] of [
      [ROOT_KEY, root],
      [SIGNING_KEY, signing],
      [KEY_LISTS, readFileSync(keyFile(KEY_LISTS))],
    ] as const) {
      rmSync(join(other, name));
      writeFileSync(join(other, name), content ?? '');
    }
    const { key, install } = openKeyring(other, trustDir(), subjects.keys).rotate(0);
    install();
    for (const name of [KEY_LISTS, SIGNING_KEY]) {
      rmSync(keyFile(name));
      writeFileSync(keyFile(name), readFileSync(join(other, name)));
    }
    publish(keyring);
    expect(ids(keyring.inForce()?.list.trusted)).toEqual([key]);
    expect(keyring.isCurrent(keyring.sign('a', new Uint8Array()))).toBe(true);
  });

  it('keeps the key of a backup trusted, also when a rotation after the backup is about to end it', () => {
    const keyring = opened();
    const backup = Buffer.from(readPrivateKeys(keysDir())).toString();
    const { install, previous } = keyring.rotate(60_000);
    publish(keyring);
    install();
    rmSync(keyFile());
    expect(keyring.adopt(backup)).toBe(previous[0]);
    keyring.install();
    publish(keyring, true);
    expect(ids(keyring.inForce()?.list.trusted)).toContain(previous[0]);
    expect(keyring.nextKeyList()).toBeNull();
  });

  it('takes the root key of a backup over, if nodes know it', () => {
    const keyring = opened();
    const backup = Buffer.from(readPrivateKeys(keysDir())).toString();
    const root = readFileSync(keyFile(ROOT_KEY), 'utf8');
    for (const name of [ROOT_KEY, KEY_LISTS, SIGNING_KEY]) rmSync(keyFile(name));
    keyring.adopt(backup);
    keyring.install();
    expect(readFileSync(keyFile(ROOT_KEY), 'utf8')).toBe(root);
    expect(() => keyring.rotate(0)).not.toThrow();
  });
});

describe('a new root key', () => {
  it('begins a new count of lists, for the controller and for nodes', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const [keyring, trust] = [opened(), openTrust(trustDir(), subjects)];
    keyring.rotate(0);
    publish(keyring);
    const take = () => trust.take(keyring.inForce()?.envelope ?? new Uint8Array()).status;
    expect([take(), trust.number]).toEqual(['taken', 3]);

    for (const dir of [keysDir(), trustDir()]) rmSync(dir, { recursive: true });
    writeControllerKeys(keysDir(), trustDir(), 'dino');
    vi.advanceTimersByTime(1_000);
    publish(keyring);
    expect([take(), trust.number]).toEqual(['taken', 1]);
    expect(trust.get(readSigningKey(readFileSync(keyFile(), 'utf8')).id)).toBeDefined();
  });
});
