import { describe, expect, it } from 'vitest';

import { changesSince, snapshot } from '../../../../../../controller/src/build/preflight/child/intrinsics.ts';

/** The changes that are found after a property of a built-in object was set. The property is restored. */
function changesAfter(object: object, name: PropertyKey, value: unknown): ReturnType<typeof changesSince> {
  const before = snapshot();
  const original = Reflect.getOwnPropertyDescriptor(object, name);
  Reflect.defineProperty(object, name, { value, writable: true, configurable: true, enumerable: false });
  try {
    return changesSince(before);
  } finally {
    if (original === undefined) Reflect.deleteProperty(object, name);
    else Reflect.defineProperty(object, name, original);
  }
}

const nothing = (): null => null;

describe('changesSince', () => {
  it('finds nothing when nothing was changed', () => {
    expect(changesSince(snapshot())).toEqual({ changed: [], globals: [] });
  });

  it.each([
    ['a new method', Array.prototype, 'last', 'Array.prototype.last'],
    ['another method', String.prototype, 'at', 'String.prototype.at'],
    ['another iterator', Array.prototype, Symbol.iterator, 'Array.prototype[Symbol.iterator]'],
    ['a static method', Object, 'assign', 'Object.assign'],
    ['a namespace', Math, 'random', 'Math.random'],
    ['a class in a namespace', Intl.NumberFormat.prototype, 'format', 'Intl.NumberFormat.prototype.format'],
    ['the prototype of typed arrays', Object.getPrototypeOf(Int8Array.prototype) as object, 'map', /map$/],
    ['the prototype of async functions', Object.getPrototypeOf(async () => undefined) as object, 'x', /x$/],
    ["one of Node's classes", URL.prototype, 'toJSON', 'URL.prototype.toJSON'],
    ['a global', globalThis, 'parseInt', 'parseInt'],
  ])('names %s', (_, object, name, expected) => {
    const { changed } = changesAfter(object, name, nothing);
    expect(changed).toEqual([typeof expected === 'string' ? expected : (expect.stringMatching(expected) as unknown)]);
  });

  it('names a prototype that was replaced', () => {
    const before = snapshot();
    const original = Object.getPrototypeOf(Set.prototype) as object;
    Object.setPrototypeOf(Set.prototype, { extra: true });
    const { changed } = changesSince(before);
    Object.setPrototypeOf(Set.prototype, original);
    expect(changed).toEqual(['the prototype of Set.prototype']);
  });

  it('lists new globals apart from changes, without those under a symbol', () => {
    expect(changesAfter(globalThis, 'leftBehind', 1)).toEqual({ changed: [], globals: ['leftBehind'] });
    expect(changesAfter(globalThis, Symbol.for('shared'), 1)).toEqual({ changed: [], globals: [] });
  });

  it('allows the hooks of V8 for stacks', () => {
    expect(changesAfter(Error, 'stackTraceLimit', 50)).toEqual({ changed: [], globals: [] });
    expect(changesAfter(Error, 'prepareStackTrace', undefined)).toEqual({ changed: [], globals: [] });
  });
});
