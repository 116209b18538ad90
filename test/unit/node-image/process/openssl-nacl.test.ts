import * as fc from 'fast-check';
import tweetnacl from 'tweetnacl';
import { expect, it } from 'vitest';

import nacl from '../../../../node-image/src/process/openssl-nacl.ts';

const seed = fc.uint8Array({ minLength: 32, maxLength: 32 });

it('returns the same keys and signatures as the package that it replaces', () => {
  fc.assert(
    fc.property(seed, fc.uint8Array(), (bytes, message) => {
      const pair = nacl.sign.keyPair.fromSeed(bytes);
      expect(pair).toEqual(tweetnacl.sign.keyPair.fromSeed(bytes));
      expect(nacl.sign.detached(message, pair.secretKey)).toEqual(tweetnacl.sign.detached(message, pair.secretKey));
    }),
    { numRuns: 10 },
  );
});

it('distinguishes a valid signature from another one', () => {
  const { publicKey, secretKey } = nacl.sign.keyPair.fromSeed(nacl.randomBytes(32));
  const message = Buffer.from('a challenge');
  const signature = nacl.sign.detached(message, secretKey);
  expect(nacl.sign.detached.verify(message, signature, publicKey)).toBe(true);
  expect(nacl.sign.detached.verify(Buffer.from('another'), signature, publicKey)).toBe(false);
});
