import { EventEmitter } from 'node:events';

import { describe, expect, it } from 'vitest';

import { copyData } from '../../../../../node-image/src/modules/state/copy-data.ts';

class Player {
  name = 'Fred';
}
class Scores extends Map<string, number> {}

const copyOf = <T>(value: T): T => copyData({ value }).value;

describe('plain data is copied deeply', () => {
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  const shared = new ArrayBuffer(8);
  it.for<[string, object]>([
    ['object', { a: { b: [1] } }],
    ['object without a prototype', Object.assign(Object.create(null) as object, { a: 1 })],
    ['array', [1, [2]]],
    ['array with holes and a name', Object.assign([1, , 3], { more: {} })], // oxlint-disable-line no-sparse-arrays
    ['Map', new Map<unknown, unknown>([[{ key: 1 }, { item: [1] }]])],
    ['Set', new Set([[1]])],
    ['Date', new Date(7)],
    ['RegExp', /x/gi],
    ['ArrayBuffer', new Uint8Array([1, 2]).buffer],
    ['typed array', new Float64Array([0.5, 2])],
    ['a part of a buffer', new Uint16Array(shared, 2, 2)],
    ['DataView', new DataView(new Uint8Array([1, 2, 3]).buffer, 1, 2)],
    ['Buffer', Buffer.from('abc')],
    ['circle', cyclic],
    ['symbol key', { [Symbol.for('key')]: { a: 1 } }],
    ['__proto__ as a key', JSON.parse('{ "__proto__": { "a": 1 } }') as object],
  ])('%s', ([, value]) => {
    const copy = copyOf(value);
    expect(copy).toStrictEqual(value);
    expect(copy).not.toBe(value);
    expect(Object.getPrototypeOf(copy)).toBe(Object.getPrototypeOf(value));
  });

  it('what occurs twice is copied once', () => {
    const item = { a: 1 };
    const { first, second } = copyData({ first: item, second: [item] });
    expect(second[0]).toBe(first);
    expect(first).not.toBe(item);
  });

  it('views of one buffer still share it', () => {
    const buffer = new ArrayBuffer(4);
    const { bytes, words } = copyData({ bytes: new Uint8Array(buffer), words: new Uint32Array(buffer) });
    bytes[0] = 7;
    expect(words[0]).toBe(7);
    expect(new Uint8Array(buffer)[0]).toBe(0);
  });

  it('as deep as it is', () => {
    let list: { next: unknown } | null = null;
    for (let index = 0; index < 200_000; index += 1) list = { next: list };
    // A matcher would print it, one level in another.
    expect(Object.is(copyOf(list), list)).toBe(false);
  });

  it('a change of the copy does not change the data', () => {
    const data = { list: [{ n: 1 }], map: new Map([['a', [1]]]) };
    const copy = copyData(data);
    copy.list[0] = { n: 2 };
    copy.map.get('a')?.push(2);
    expect(data).toEqual({ list: [{ n: 1 }], map: new Map([['a', [1]]]) });
  });
});

it('a getter is replaced by its value', () => {
  const copy = copyData({
    get two() {
      return 2;
    },
  });
  expect(Object.getOwnPropertyDescriptor(copy, 'two')).toMatchObject({ value: 2, writable: true });
});

describe('everything else is handed over as it is', () => {
  const resizable: ArrayBuffer = Reflect.construct(ArrayBuffer, [1, { maxByteLength: 2 }]);
  it.for<[string, unknown]>([
    ['function', () => 1],
    ['instance of a class', new Player()],
    ['instance of a subclass', new Scores([['a', 1]])],
    ['emitter', new EventEmitter()],
    ['promise', Promise.resolve(1)],
    ['error', new Error('x')],
    ['WeakMap', new WeakMap()],
    ['SharedArrayBuffer', new SharedArrayBuffer(1)],
    ['view of a SharedArrayBuffer', new Uint8Array(new SharedArrayBuffer(1))],
    ['proxy of a class', new Proxy(new Player(), {})],
    ['proxy of a plain object', new Proxy({}, {})],
    ['proxy of a Map', new Proxy(new Map(), {})],
    ['ArrayBuffer that is resizable', resizable],
    ['view of it', new Uint8Array(resizable)],
    ['Buffer of a SharedArrayBuffer', Buffer.from(new SharedArrayBuffer(1))],
    ['symbol', Symbol('x')],
    ['primitive', 1n],
  ])('%s', ([, value]) => {
    expect(copyOf(value)).toBe(value);
  });

  it('also inside of plain data, and is told, once for each object, functions left out', () => {
    const player = new Player();
    const uncopied: object[] = [];
    const data = { players: new Map([['fred', [player]]]), again: player, run: () => 1, plain: [new Date(1)] };
    expect(copyData(data, value => uncopied.push(value)).players.get('fred')?.[0]).toBe(player);
    expect(uncopied).toEqual([player]);
  });
});
