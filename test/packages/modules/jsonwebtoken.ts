import { generateKeyPairSync } from 'node:crypto';
import jwt from 'jsonwebtoken';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

export function check() {
  const token = jwt.sign({ user: 'Ada' }, privateKey, { algorithm: 'ES256', noTimestamp: true, issuer: 'shop' });
  const expired = jwt.sign({}, 'secret', { expiresIn: -1 });
  const attempt = (): unknown => {
    try {
      return jwt.verify(expired, 'secret');
    } catch (error) {
      return error instanceof jwt.TokenExpiredError ? error.name : null;
    }
  };
  return [jwt.verify(token, publicKey), attempt()];
}
