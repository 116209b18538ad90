import { customAlphabet, nanoid } from 'nanoid';

export function check() {
  return [nanoid().length, /^[ab]{5}$/.test(customAlphabet('ab', 5)()), nanoid() === nanoid()];
}
