import { type PackageCase, refused, works } from '../package-case.ts';
import { NATIVE } from '../reasons.ts';

export const SECURITY: readonly PackageCase[] = [
  refused('argon2', ...NATIVE),
  works('bcryptjs', 'hashes and compares', [true, false, 4]),
  works('jose', 'signs, verifies, encrypts, decrypts', [{ user: 'Ada' }, { n: 1 }]),
  works('jsonwebtoken', 'signs, verifies, and an expired token', [{ user: 'Ada', iss: 'shop' }, 'TokenExpiredError']),
];
