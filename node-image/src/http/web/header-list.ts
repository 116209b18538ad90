import { natives } from './natives.ts';

const TOKEN = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;

/** A value that `Headers` keeps as it is. */
const VALUE = /^(?:[\u0021-\u007e\u0080-\u00ff](?:[\t\u0020-\u007e\u0080-\u00ff]*[\u0021-\u007e\u0080-\u00ff])?)?$/;

export const isHeaderName = (name: string): boolean => TOKEN.test(name);

/** The headers of a `Headers`: names in lower case and values, in turns. Each cookie has a pair of its own. */
export function listOf(headers: Headers): string[] {
  const list: string[] = [];
  for (const [name, value] of headers) list.push(name, value);
  return list;
}

/**
 * The headers of an initializer, as {@link listOf}. Null for what only `Headers` itself should judge, or can read: lists of
 * pairs, values that are no strings or are not allowed.
 */
export function listOfInit(init: unknown): string[] | null {
  if (init === undefined) return [];
  if (typeof init !== 'object' || init === null) return null;
  const prototype: unknown = Object.getPrototypeOf(init);
  if (prototype === natives().Headers.prototype) return listOf(init as Headers);
  if ((prototype !== Object.prototype && prototype !== null) || Symbol.iterator in init) return null;
  const list: string[] = [];
  for (const name of Object.keys(init)) {
    const value = (init as Record<string, unknown>)[name];
    if (typeof value !== 'string' || !TOKEN.test(name) || !VALUE.test(value)) return null;
    const lower = name.toLowerCase();
    if (hasHeader(list, lower)) return null;
    list.push(lower, value);
  }
  return list;
}

/** @param name in lower case. */
export function hasHeader(list: readonly string[], name: string): boolean {
  for (let i = 0; i < list.length; i += 2) if (list[i] === name) return true;
  return false;
}
