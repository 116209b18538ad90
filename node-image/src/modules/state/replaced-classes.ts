import { types } from 'node:util';

import type { Version } from '../version.ts';
import { accessOf, classOf, ownValue } from './describe-data.ts';

/** How many objects of a module's data are looked at, how many values of each nested one, and for how many classes. */
const MAX_OBJECTS = 1_000;
const MAX_VALUES_EACH = 32;
const MAX_CLASSES = 32;

/** How many classes a warning names. */
const MAX_NAMED = 3;

/** The prototypes of class instances, each with a key of the data under which one was found. */
export type Instances = ReadonlyMap<object, string>;

/**
 * Finds the classes whose instances a module's data holds in plain objects, arrays, `Map`s and `Set`s. It looks at a sample,
 * the outer levels first, and runs no code of the module.
 */
export function instancesIn(data: Record<string, unknown>): Instances {
  const found = new Map<object, string>();
  if (Reflect.ownKeys(data).length === 0) return found;
  const seen = new Set<object>([data]);
  const open: { readonly key: string | null; readonly value: object }[] = [{ key: null, value: data }];
  // The iteration includes the elements that are added during it.
  for (const { key, value } of open) {
    for (const [name, held] of valuesOf(value, key === null ? MAX_OBJECTS : MAX_VALUES_EACH)) {
      if (typeof held !== 'object' || held === null || types.isProxy(held) || seen.has(held)) continue;
      if (seen.size >= MAX_OBJECTS || found.size >= MAX_CLASSES) return found;
      seen.add(held);
      const prototype = Object.getPrototypeOf(held) as object | null;
      if (prototype === null || CONTAINERS.has(prototype)) open.push({ key: key ?? name, value: held });
      else if (!found.has(prototype)) found.set(prototype, key ?? name);
    }
  }
  return found;
}

/**
 * Warns of instances in the data of a new version whose class is one of an earlier version: they keep its methods.
 *
 * @param before the instances in the data before the new version ran: their classes are not the new ones.
 * @param earlier the versions before it.
 */
export function warningOfReplaced(before: Instances, next: Version, earlier: readonly Version[]): string | null {
  const codes = before.size === 0 ? [] : [next, ...earlier].map(({ code }) => code());
  const own = [...before.keys()].flatMap(prototype => {
    const found = classOf(prototype);
    return found !== null && codes.some(code => code.includes(found.source)) ? [{ prototype, name: found.name }] : [];
  });
  // A second look only if it can find something.
  const now = own.length === 0 ? new Map<object, string>() : instancesIn(next.data);
  const replaced = own.flatMap(({ prototype, name }) => {
    const key = now.get(prototype);
    return key === undefined ? [] : [{ name, key }];
  });
  const [first] = replaced;
  if (first === undefined) return null;
  const named = replaced.slice(0, MAX_NAMED).map(({ name, key }) => `${name} in ${accessOf(key)}`);
  const more = replaced.length > MAX_NAMED ? ` and ${replaced.length - MAX_NAMED} more` : '';
  return (
    `${next.module} keeps instances of an earlier version's classes: ${named.join(', ')}${more}. They run its methods, and ` +
    `instanceof is false; Object.setPrototypeOf(instance, ${first.name}.prototype) gives them the new class`
  );
}

const CONTAINERS = new Set<object>([Object.prototype, Array.prototype, Map.prototype, Set.prototype]);

/** Some of the values that an object holds, with their keys. */
function* valuesOf(value: object, limit: number): Generator<[string, unknown]> {
  let left = limit;
  if (types.isMap(value)) {
    for (const [key, held] of value) {
      if (left-- === 0) return;
      yield ['', held];
      yield ['', key];
    }
  } else if (types.isSet(value)) {
    for (const held of value) {
      if (left-- === 0) return;
      yield ['', held];
    }
  } else if (Array.isArray(value)) {
    for (let index = 0; index < Math.min(value.length, limit); index += 1) yield ['', ownValue(value, String(index))];
  } else {
    for (const key of keysOf(value, limit)) yield [key, ownValue(value, key)];
  }
}

/** The number of keys from which an object is large, and some of the keys of the large objects that were seen. */
const LARGE = 10_000;
const keysOfLarge = new WeakMap<object, readonly string[]>();

/** Some keys of an object. V8 lists all of them, which takes some 30 ms for 100,000 keys, so it does that once for a large object. */
function keysOf(value: object, limit: number): readonly string[] {
  const known = keysOfLarge.get(value);
  if (known !== undefined) return known;
  const all = Object.keys(value);
  const keys = all.slice(0, limit);
  if (all.length >= LARGE) keysOfLarge.set(value, keys);
  return keys;
}
