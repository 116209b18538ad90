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
    expect(changesSince(snapshot())).toEqual({ changed: [], added: [], globals: [] });
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

  it.each([
    ['a property of a class', Error, '__BluebirdErrorTypes__', 'Error.__BluebirdErrorTypes__'],
    ['a function of a namespace', Reflect, 'extra', 'Reflect.extra'],
  ])('lists %s that was added apart from changes', (_, object, name, expected) => {
    expect(changesAfter(object, name, nothing)).toEqual({ changed: [], added: [expected], globals: [] });
  });

  it('names a class method that was added where other classes inherit it', () => {
    const typedArray = Object.getPrototypeOf(Int8Array) as object;
    expect(changesAfter(typedArray, 'last', nothing).changed).toEqual([expect.stringMatching(/last$/)]);
    expect(changesAfter(Function.prototype, 'last', nothing).changed).toHaveLength(1);
  });

  it('allows a global that Node.js makes when it is first read', () => {
    const made = {};
    const lazy = { get: () => made, configurable: true };
    Object.defineProperty(globalThis, 'lazy', lazy);
    const before = snapshot();
    Object.defineProperty(globalThis, 'lazy', { value: made, configurable: true, writable: true });
    const { changed } = changesSince(before);
    Object.defineProperty(globalThis, 'lazy', { value: {}, configurable: true, writable: true });
    const { changed: replaced } = changesSince(before);
    Reflect.deleteProperty(globalThis, 'lazy');
    expect([changed, replaced]).toEqual([[], ['lazy']]);
  });

  it('lists new globals apart from changes, without those under a symbol', () => {
    expect(changesAfter(globalThis, 'leftBehind', 1)).toEqual({ changed: [], added: [], globals: ['leftBehind'] });
    expect(changesAfter(globalThis, Symbol.for('shared'), 1)).toEqual({ changed: [], added: [], globals: [] });
  });

  it('allows the hooks of V8 for stacks', () => {
    expect(changesAfter(Error, 'stackTraceLimit', 50)).toEqual({ changed: [], added: [], globals: [] });
    expect(changesAfter(Error, 'prepareStackTrace', undefined)).toEqual({ changed: [], added: [], globals: [] });
  });
});
