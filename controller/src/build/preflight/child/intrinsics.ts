import { EventEmitter } from 'node:events';

/** The own properties of an object. */
interface ObjectState {
  readonly name: string;
  readonly object: object;
  /** Whether other objects inherit its properties, so that a new one changes those too. */
  readonly isInherited: boolean;
  readonly prototype: object | null;
  readonly keys: readonly PropertyKey[];
  readonly descriptors: readonly (PropertyDescriptor | undefined)[];
  /** The keys of the first snapshot: what was added since can be replaced by those that have added it. */
  readonly builtIn: readonly PropertyKey[];
}

/** The state of built-in objects at one moment. */
export type Snapshot = readonly ObjectState[];

/** Hooks of V8 that every program can set. */
const HOOKS = new Set<PropertyKey>(['prepareStackTrace', 'stackTraceLimit']);

// Taken before a module can replace them.
const { apply, ownKeys, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
const { is } = Object;

/**
 * Records the built-in objects of the language and of Node.js: global classes and namespaces, with their prototypes.
 *
 * @param earlier a snapshot from before other code ran. What that code has added is no built-in.
 */
export function snapshot(earlier: Snapshot = []): Snapshot {
  const builtIns = new Map(earlier.map(({ object, builtIn }) => [object, builtIn]));
  const taken: ObjectState[] = [];
  const seen = new Set<object>();
  const take = (name: string, value: unknown, isInherited = false): void => {
    if (!isObject(value) || seen.has(value)) return;
    seen.add(value);
    const keys = ownKeys(value);
    const descriptors = keys.map(key => getOwnPropertyDescriptor(value, key));
    const builtIn = builtIns.get(value) ?? keys;
    taken.push({ name, object: value, isInherited, prototype: getPrototypeOf(value), keys, descriptors, builtIn });
    if (typeof value === 'function') {
      take(`${name}.prototype`, valueOf(value, 'prototype'), true);
      take(`the class above ${name}`, getPrototypeOf(value), true);
    } else take(`the prototype above ${name}`, getPrototypeOf(value), true);
  };
  take('globalThis', globalThis);
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    const value = valueOf(globalThis, name);
    if (typeof value === 'function') take(name, value);
    else if (isNamespace(value)) {
      take(name, value);
      for (const member of Object.getOwnPropertyNames(value)) {
        const inner = valueOf(value, member);
        if (typeof inner === 'function' && 'prototype' in inner) take(`${name}.${member}`, inner);
      }
    }
  }
  take('EventEmitter', EventEmitter);
  const hidden = { async *asyncGenerator() {}, *generator() {}, async asyncFunction() {} };
  for (const [name, body] of Object.entries(hidden)) take(`${name}.prototype`, getPrototypeOf(body), true);
  for (const iterable of [[], new Map(), new Set(), '']) {
    take(`the iterator of ${iterable.constructor.name}`, getPrototypeOf(iterable[Symbol.iterator]()), true);
  }
  return taken;
}

/** What differs from a snapshot. */
export interface Changes {
  /** What was replaced, or added where other objects inherit it: `Math.random`, `Array.prototype.last`. */
  readonly changed: string[];
  /** What was added elsewhere, or put in place of such an addition, which no other code uses: `Error.__BluebirdErrorTypes__`. */
  readonly added: string[];
  /** New names in globalThis. */
  readonly globals: string[];
}

export function changesSince(taken: Snapshot): Changes {
  const changed: string[] = [];
  const added: string[] = [];
  const globals: string[] = [];
  // By index: a module can have changed the iterator of arrays.
  for (let at = 0; at < taken.length; at += 1) {
    const state = taken[at];
    if (state === undefined) break;
    const { name, object, isInherited, prototype, keys, descriptors, builtIn } = state;
    const add = (key: PropertyKey): void => {
      if (object !== globalThis) (isInherited ? changed : added).push(path(name, key));
      // Under a symbol, libraries keep what all their copies share.
      else if (typeof key === 'string') globals.push(key);
    };
    if (getPrototypeOf(object) !== prototype) changed.push(`the prototype of ${name}`);
    for (let index = 0; index < keys.length; index += 1) {
      const key = keys[index] ?? '';
      if (HOOKS.has(key) || same(object, descriptors[index], getOwnPropertyDescriptor(object, key))) continue;
      if (builtIn.includes(key)) changed.push(path(name, key));
      else add(key);
    }
    const now = ownKeys(object);
    if (now.length === keys.length) continue;
    for (let index = 0; index < now.length; index += 1) {
      const key = now[index] ?? '';
      if (keys.includes(key) || HOOKS.has(key)) continue;
      add(key);
    }
  }
  return { changed, added, globals };
}

function same(object: object, before: PropertyDescriptor | undefined, now: PropertyDescriptor | undefined): boolean {
  if (before === undefined || now === undefined) return false;
  // Node.js itself replaces a getter by its value when a global is first read.
  const { get: getter } = before as Readonly<Record<string, unknown>>;
  if (object === globalThis && typeof getter === 'function' && 'value' in now) {
    return is(now.value, apply(getter, object, []));
  }
  return (
    is(before.value, now.value) &&
    before.get === now.get &&
    before.set === now.set &&
    before.writable === now.writable &&
    before.enumerable === now.enumerable &&
    before.configurable === now.configurable
  );
}

function path(name: string, key: PropertyKey): string {
  const prefix = name === 'globalThis' ? '' : `${name}.`;
  return typeof key === 'symbol' ? `${name}[${key.description ?? 'symbol'}]` : `${prefix}${String(key)}`;
}

/** The value of a property; undefined for a getter. */
function valueOf(object: object, name: string): unknown {
  return getOwnPropertyDescriptor(object, name)?.value;
}

function isNamespace(value: unknown): value is object {
  return (
    isObject(value) &&
    ['Math', 'JSON', 'Reflect', 'Atomics', 'Intl', 'WebAssembly', 'Temporal', 'console'].includes(
      String((value as { readonly [Symbol.toStringTag]?: unknown })[Symbol.toStringTag]),
    )
  );
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
