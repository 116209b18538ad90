import { beforeEach, describe, expect, it } from 'vitest';

import { signEnvelope } from '../../../../protocol/signing/envelope.ts';
import { signKeyList } from '../../../../protocol/signing/key-list.ts';
import { KeyTrust } from '../../../../protocol/signing/key-trust.ts';
import { makeSigningKey, readSigningKey, rootKeyFile, type SigningKey } from '../../../../protocol/signing/keys.ts';
import { rootKeyFiles } from '../../../../protocol/signing/trusted-keys.ts';
import { encodeRecord } from '../../../../protocol/codec.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';

const { keys: subject } = subjectsOf('dino');
const newKey = (): SigningKey => readSigningKey(makeSigningKey());
const [root, stranger, one, two, three] = Array.from({ length: 5 }, newKey) as [
  SigningKey,
  SigningKey,
  SigningKey,
  SigningKey,
  SigningKey,
];
const roots = rootKeyFiles(() => [Buffer.from(rootKeyFile(root))]);
const listOf = (number: number, ...trusted: readonly SigningKey[]) => ({
  number,
  trusted: trusted.map(({ publicHalf }) => publicHalf),
  ended: [stranger.publicHalf],
});
const signed = (number: number, ...trusted: readonly SigningKey[]) =>
  signKeyList(root, subject, listOf(number, ...trusted));

let trust: KeyTrust;
const trusted = () => [root, stranger, one, two, three].filter(({ id }) => trust.get(id) !== undefined);

beforeEach(() => {
  trust = new KeyTrust({ roots, subject, earlier: { get: id => (id === three.id ? roots.get(root.id) : undefined) } });
});

describe('the keys that are trusted', () => {
  it('are those of files until there is a list, and then those of the newest list alone', () => {
    expect(trusted()).toEqual([three]);
    trust.take(signed(1, one));
    expect(trusted()).toEqual([one]);
    trust.take(signed(2, two, one));
    expect(trusted()).toEqual([one, two]);
  });

  it('follow the newest list, also for somebody who has missed those in between', () => {
    trust.take(signed(1, one));
    expect(trust.take(signed(7, three)).status).toBe('taken');
    expect(trusted()).toEqual([three]);
  });

  it('do not come back when an old list is shown again', () => {
    const old = signed(1, one);
    trust.take(old);
    trust.take(signed(2, two));
    expect(trust.take(old)).toEqual({ status: 'known' });
    expect(trust.take(signed(2, one))).toEqual({ status: 'known' });
    expect(trusted()).toEqual([two]);
  });

  it.each<[string, () => Uint8Array, string]>([
    ['a key that signs', () => signKeyList(one, subject, listOf(9, stranger)), 'unknown key'],
    ['a stranger', () => signKeyList(stranger, subject, listOf(9, stranger)), 'unknown key'],
    [
      'the root key, for another cookie',
      () => signKeyList(root, subjectsOf('quarry').keys, listOf(9)),
      'wrong subject',
    ],
    [
      'a stranger under the id of the root key',
      () => signKeyList({ ...stranger, id: root.id }, subject, listOf(9)),
      'bad signature',
    ],
    ['nobody', () => Buffer.from('a list'), 'unsigned'],
  ])('are not changed by a list that %s has signed', (_, envelope, fault) => {
    trust.take(signed(1, one));
    expect(trust.take(envelope())).toEqual({ status: 'rejected', fault });
    expect([trusted(), trust.number]).toEqual([[one], 1]);
  });

  it('are not changed by a list that was changed', () => {
    trust.take(signed(1, one));
    const bytes = Buffer.from(signed(2, two));
    for (let at = 0; at < bytes.length; at += 7) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(trust.take(changed).status).toBe('rejected');
    }
    expect(trusted()).toEqual([one]);
  });

  it('stay when a root key has signed what can not be read', () => {
    trust.take(signed(1, one));
    const bad = [
      { ...listOf(2), trusted: ['no key'] },
      { number: 0, trusted: [], ended: [] },
      { format: 99, number: 2 },
    ];
    for (const each of bad) expect(() => trust.take(signEnvelope(root, subject, encodeRecord(each)))).toThrow();
    expect([trusted(), trust.number]).toEqual([[one], 1]);
  });
});
