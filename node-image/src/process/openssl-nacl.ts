import { createPublicKey, randomBytes, sign, verify } from 'node:crypto';

import { bytesOf, privateKeyOf, publicKeyOf } from '../../../protocol/signing/keys.ts';

/** The length of the seed, the first part of a secret key. */
const SEED_BYTES = 32;

/**
 * Replaces the package `tweetnacl` in the node's bundle: the functions that NATS's library uses, with OpenSSL. A connect
 * with the JavaScript implementation left 10 MB of garbage. A secret key is the seed followed by the public key.
 */
const nacl = {
  randomBytes: (length: number): Uint8Array => new Uint8Array(randomBytes(length)),
  sign: {
    keyPair: {
      fromSeed: (seed: Uint8Array): { publicKey: Uint8Array; secretKey: Uint8Array } => {
        const publicKey = bytesOf(createPublicKey(privateKeyOf(seed)));
        return { publicKey, secretKey: Uint8Array.from([...seed, ...publicKey]) };
      },
    },
    detached: Object.assign(
      (message: Uint8Array, secretKey: Uint8Array) =>
        new Uint8Array(sign(null, message, privateKeyOf(secretKey.subarray(0, SEED_BYTES)))),
      {
        verify: (message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean =>
          verify(null, message, publicKeyOf(publicKey), signature),
      },
    ),
  },
};

export default nacl;
