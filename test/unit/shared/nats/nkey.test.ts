import { nkeys } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';

import { isSignedBy, signingPair } from '../../../../shared/nats/nkey.ts';

const input = new TextEncoder().encode('a message');

describe('a signing pair', () => {
  it("signs as NATS's own library does", () => {
    const own = nkeys.createAccount();
    const pair = signingPair(own.getSeed());
    expect(pair.getPublicKey()).toBe(own.getPublicKey());
    expect(Buffer.from(pair.sign(input))).toEqual(Buffer.from(own.sign(input)));
  });
});

describe('isSignedBy', () => {
  it('accepts a signature of the key, and no other', () => {
    const [fred, betty] = [nkeys.createUser(), nkeys.createUser()];
    const signature = fred.sign(input);
    expect(isSignedBy(fred.getPublicKey(), input, signature)).toBe(true);
    expect(isSignedBy(betty.getPublicKey(), input, signature)).toBe(false);
    expect(isSignedBy(fred.getPublicKey(), new TextEncoder().encode('another'), signature)).toBe(false);
  });

  it('rejects a text that is not a key', () => {
    for (const nkey of ['', 'U', 'not an nkey', 'UAAA'])
      expect(isSignedBy(nkey, input, new Uint8Array(64))).toBe(false);
  });
});
