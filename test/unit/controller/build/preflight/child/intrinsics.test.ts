import { describe, expect, it } from 'vitest';

import { changesSince, pictures } from '../../../../../../controller/src/build/preflight/child/intrinsics.ts';

/** What is noticed of a change to a built-in object, which is undone at once. */
function noticed(object: object, name: PropertyKey, value: unknown): ReturnType<typeof changesSince> {
  const before = pictures();
  const kept = Reflect.getOwnPropertyDescriptor(object, name);
  Reflect.defineProperty(object, name, { value, writable: true, configurable: true, enumerable: false });
  try {
    return changesSince(before);
  } finally {
    if (kept === undefined) Reflect.deleteProperty(object, name);
    else Reflect.defineProperty(object, name, kept);
  }
}

const nothing = (): null => null;

describe('changesSince', () => {
  it('sees nothing where nothing was changed', () => {
    expect(changesSince(pictures())).toEqual({ changed: [], globals: [] });
  });

  it.each([
    ['a new method', Array.prototype, 'last', 'Array.prototype.last'],
    ['another method', String.prototype, 'at', 'String.prototype.at'],
    ['another iterator', Array.prototype, Symbol.iterator, 'Array.prototype[Symbol.iterator]'],
    ['a static method', Object, 'assign', 'Object.assign'],
    ['a namespace', Math, 'random', 'Math.random'],
    ['a class in a namespace', Intl.NumberFormat.prototype, 'format', 'Intl.NumberFormat.prototype.format'],
    ['what typed arrays share', Object.getPrototypeOf(Int8Array.prototype) as object, 'map', /map$/],
    ['what async functions share', Object.getPrototypeOf(async () => undefined) as object, 'x', /x$/],
    ["one of Node's classes", URL.prototype, 'toJSON', 'URL.prototype.toJSON'],
    ['a global', globalThis, 'parseInt', 'parseInt'],
  ])('names %s', (_, object, name, expected) => {
    const { changed } = noticed(object, name, nothing);
    expect(changed).toEqual([typeof expected === 'string' ? expected : (expect.stringMatching(expected) as unknown)]);
  });

  it('names a prototype that was replaced', () => {
    const before = pictures();
    const kept = Object.getPrototypeOf(Set.prototype) as object;
    Object.setPrototypeOf(Set.prototype, { extra: true });
    const { changed } = changesSince(before);
    Object.setPrototypeOf(Set.prototype, kept);
    expect(changed).toEqual(['the prototype of Set.prototype']);
  });

  it('tells a new global from a change, and leaves out what libraries keep under a symbol', () => {
    expect(noticed(globalThis, 'leftBehind', 1)).toEqual({ changed: [], globals: ['leftBehind'] });
    expect(noticed(globalThis, Symbol.for('shared'), 1)).toEqual({ changed: [], globals: [] });
  });

  it('lets V8 be asked for longer stacks', () => {
    expect(noticed(Error, 'stackTraceLimit', 50)).toEqual({ changed: [], globals: [] });
    expect(noticed(Error, 'prepareStackTrace', undefined)).toEqual({ changed: [], globals: [] });
  });
});
