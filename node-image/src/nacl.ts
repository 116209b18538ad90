import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto';

/** What stands before the 32 bytes of a key in PKCS #8 and in SPKI (RFC 8410). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * Stands for the package `tweetnacl` in the node's bundle: what NATS's library needs of it, by OpenSSL. In JavaScript to connect
 * left 10 MB of garbage. A secret key is, as there, the seed and then the public key.
 */
const nacl = {
  randomBytes: (length: number): Uint8Array => new Uint8Array(randomBytes(length)),
  sign: {
    keyPair: {
      fromSeed: (seed: Uint8Array): { publicKey: Uint8Array; secretKey: Uint8Array } => {
        const spki = createPublicKey(privateKey(seed)).export({ format: 'der', type: 'spki' });
        const publicKey = new Uint8Array(spki.subarray(SPKI.length));
        return { publicKey, secretKey: Uint8Array.from([...seed, ...publicKey]) };
      },
    },
    detached: Object.assign(
      (message: Uint8Array, secretKey: Uint8Array) =>
        new Uint8Array(sign(null, message, privateKey(secretKey.subarray(0, 32)))),
      {
        verify: (message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean =>
          verify(
            null,
            message,
            createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: 'der', type: 'spki' }),
            signature,
          ),
      },
    ),
  },
};

export default nacl;

function privateKey(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
}
