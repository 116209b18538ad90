import { EncryptJWT, generateKeyPair, jwtDecrypt, jwtVerify, SignJWT } from 'jose';

export async function check() {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA');
  const signed = await new SignJWT({ user: 'Ada' }).setProtectedHeader({ alg: 'EdDSA' }).sign(privateKey);
  const secret = new Uint8Array(32);
  const sealed = await new EncryptJWT({ n: 1 }).setProtectedHeader({ alg: 'dir', enc: 'A256GCM' }).encrypt(secret);
  return [(await jwtVerify(signed, publicKey)).payload, (await jwtDecrypt(sealed, secret)).payload];
}
