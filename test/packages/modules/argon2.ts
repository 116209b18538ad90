import argon2 from 'argon2';

export async function check() {
  return argon2.verify(await argon2.hash('secret'), 'secret');
}
