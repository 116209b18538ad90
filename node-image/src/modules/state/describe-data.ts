import { types } from 'node:util';

/** The maximum length of a name. */
const MAX_LENGTH = 60;

/** How code reads a key of the data: `data.players`, `data["the players"]`. */
export function accessOf(key: string): string {
  const short = key.slice(0, MAX_LENGTH);
  return /^[\w$]+$/.test(short) ? `data.${short}` : `data[${JSON.stringify(short)}]`;
}

/** The class whose instances have a prototype; null when there is none. Runs no code of the module. */
export function classOf(prototype: object): { readonly name: string; readonly source: string } | null {
  const constructor = types.isProxy(prototype) ? null : ownValue(prototype, 'constructor');
  if (typeof constructor !== 'function' || types.isProxy(constructor)) return null;
  const name = ownValue(constructor, 'name');
  return {
    name: typeof name === 'string' && name !== '' ? name.slice(0, MAX_LENGTH) : 'a class without a name',
    source: Function.prototype.toString.call(constructor),
  };
}

/** The value of an own property; undefined when it has a getter. */
export function ownValue(owner: object, key: string): unknown {
  return Object.getOwnPropertyDescriptor(owner, key)?.value;
}
