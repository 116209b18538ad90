import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { openKeyring, SIGNING_KEY } from '../../../../controller/src/store/keyring.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotcast-keyring-'));
  mkdirSync(join(folder, 'keys'));
  mkdirSync(join(folder, 'trust'));
});

afterEach(() => rmSync(folder, { recursive: true }));

const open = () => openKeyring(join(folder, 'keys'), join(folder, 'trust'));
const keyFile = () => join(folder, 'keys', SIGNING_KEY);

describe('a keyring', () => {
  it.each([
    ['is lost', null, 'the signing key is lost (there is no '],
    ['is not a key', 'not a key', "the signing key can't be read ("],
  ])('whose signing key %s says so, and the command that works', (_, content, text) => {
    if (content !== null) writeFileSync(keyFile(), content);
    const keyring = open();
    expect(keyring.check).toThrow(text);
    expect(() => keyring.sign('a', new Uint8Array())).toThrow('make a new one: hotcast keys rotate');
  });

  it('signs again after a rotation, without the key that is lost', () => {
    const keyring = open();
    keyring.rotate(0);
    expect(keyring.check).not.toThrow();
    const signed = keyring.sign('a', Buffer.from('text'));
    expect(Buffer.from(keyring.verify('a', signed) ?? []).toString()).toBe('text');
    rmSync(keyFile());
    expect(keyring.check).toThrow('the signing key is lost');
    keyring.rotate(0);
    expect(keyring.isCurrent(keyring.sign('a', Buffer.from('text')))).toBe(true);
    expect(keyring.verify('a', signed)).not.toBeNull();
  });
});
