import { inspect } from 'node:util';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { DecodeError } from '../../../../protocol/errors.ts';
import { decodeArguments, decodeValue, isEncodedValue } from '../../../../protocol/values/decode.ts';
import { encodeArguments, encodeValue } from '../../../../protocol/values/encode.ts';

const cycle: Record<string, unknown> = { name: 'fred' };
cycle['self'] = { again: cycle, list: [cycle] };

const circularMap = new Map<string, unknown>();
circularMap.set('map', circularMap);

class Point {
  x = 1;
}

/** A value that has travelled. */
function afterTravel(value: unknown): unknown {
  const result = encodeValue(value);
  if (!result.ok) throw new Error(result.detail);
  return decodeValue(result.json);
}

const all = { depth: null, maxArrayLength: null, maxStringLength: null } as const;

describe('a value that travels', () => {
  it('is printed as Node.js prints the value itself', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withSparseArray: true,
      withTypedArray: true,
    });
    fc.assert(
      fc.property(anything, value => {
        expect(inspect(afterTravel(value), all)).toBe(inspect(value, all));
      }),
      { numRuns: 500 },
    );
  });

  const values: unknown[][] = [
    [() => 1],
    [{ greet: function greet() {}, symbol: Symbol('x') }],
    [[1, undefined, NaN, -0, -Infinity, 10n]],
    // oxlint-disable-next-line no-sparse-arrays
    [[1, , 3]],
    [new Map<unknown, unknown>([[{ a: 1 }, new Set([1n])]])],
    [new Uint8Array([1, 2])],
    [Buffer.from('yabba')],
    [new Float64Array([0.5]).buffer],
    [/x[/]y/giu],
    [new Date(0)],
    [new Date(NaN)],
    [new URL('http://127.0.0.1/x')],
    [[Promise.resolve(1)]],
    [Object(1n)],
    [{ at: new Point() }],
    [new (class Twice extends Map<string, number> {})([['a', 1]])],
    [Object.create(null)],
    [Object.create({ inherited: 1 })],
    [cycle],
    [circularMap],
    [{ $type: 'bigint', value: '1' }],
    [{ $type: { $type: 1 } }],
    [{ ['__proto__']: 1, constructor: 2 }],
  ];
  it.each(values.map(([value]) => [inspect(value), value] as const))(
    'is printed as Node.js prints it: %s',
    (_, value) => {
      expect(inspect(afterTravel(value), all)).toBe(inspect(value, all));
    },
  );

  it('is JSON as it stands if JSON has it', () => {
    const plain = fc.jsonValue().filter(value => !/"\$type"|-0/.test(JSON.stringify([value])) && !hasMinusZero(value));
    fc.assert(
      fc.property(plain, value => {
        expect(encodeValue(value)).toEqual({ ok: true, json: JSON.stringify(value) });
      }),
    );
  });

  const encoded: [unknown, string][] = [
    [10n, '{"$type":"bigint","value":"10"}'],
    [{ a: undefined }, '{"a":{"$type":"undefined"}}'],
    [[NaN], '[{"$type":"number","value":"NaN"}]'],
    [new Map([['a', 1]]), '{"$type":"Map","value":[["a",1]]}'],
    [new Set([1]), '{"$type":"Set","value":[1]}'],
    [new Uint8Array([1, 2]), '{"$type":"Uint8Array","base64":"AQI="}'],
    [new Date(0), '{"$type":"Date","value":"1970-01-01T00:00:00.000Z"}'],
    [/x/g, '{"$type":"RegExp","source":"x","flags":"g"}'],
    [new Point(), '{"$type":"Object","class":"Point","value":{"x":1}}'],
    [{ $type: 1 }, '{"$type":"Object","value":{"$type":1}}'],
    [[Symbol('x')], '[{"$type":"printed","text":"Symbol(x)"}]'],
    [{ toJSON: () => 7 }, '{"$type":"printed","text":"{ toJSON: [Function: toJSON] }","json":7}'],
    [circularMap, '{"$type":"Map","value":[["map",{"$type":"circular","up":1}]]}'],
  ];
  it.each(encoded.map(([value, json]) => [inspect(value), value, json] as const))(
    'is encoded as documented: %s',
    (_, value, json) => {
      expect(encodeValue(value)).toEqual({ ok: true, json });
    },
  );

  it('has no JSON if it is undefined', () => {
    expect(encodeValue(undefined)).toEqual({ ok: true, json: undefined });
    expect(decodeValue(undefined)).toBeUndefined();
  });

  it.each([
    ['a text', 'x'.repeat(101)],
    ['a list', Array.from({ length: 60 }, () => 1)],
    ['many objects', Array.from({ length: 40 }, () => ({}))],
    ['characters of two bytes', 'é'.repeat(60)],
    ['an object with toJSON', { toJSON: () => 'x'.repeat(101) }],
    ['bytes', new Uint8Array(100)],
    ['a function', Object.assign(() => 1, { text: 'x'.repeat(101) })],
    ['an error', new Error('x'.repeat(101))],
  ])('is refused when it has more bytes than the limit: %s', (_, value) => {
    expect(encodeValue(value, 100)).toEqual({ ok: false, detail: 'the value is larger than 100 bytes of JSON' });
  });

  it('is not visited to its end when it is far too large', () => {
    const list: unknown[] = [];
    list.length = 4_000_000_000;
    expect(encodeValue(list, 1_000)).toMatchObject({ ok: false });
  });
});

describe('decodeValue', () => {
  it.each([
    '{',
    '{"$type":"nosuch"}',
    '{"$type":7}',
    '{"$type":"toString"}',
    '{"$type":"number","value":"7"}',
    '{"$type":"bigint","value":"0x10"}',
    '{"$type":"bigint","value":10}',
    '{"$type":"Map","value":[1]}',
    '{"$type":"Set","value":{}}',
    '{"$type":"RegExp","source":"(","flags":""}',
    '{"$type":"Float64Array","base64":"AQI="}',
    '{"$type":"Object","value":1}',
    '{"$type":"Error","value":{"type":7}}',
    '{"$type":"circular","up":1}',
    '[{"$type":"circular","up":"length"}]',
    '{"$type":"printed"}',
    `${'['.repeat(200_000)}${']'.repeat(200_000)}`,
  ])('refuses what encodeValue never writes: %.60s', json => {
    expect(() => decodeValue(json)).toThrow(DecodeError);
    expect(isEncodedValue(json)).toBe(false);
  });

  it('gives arguments back as they were', () => {
    const args = [undefined, 10n, new Map([['a', new Uint8Array([1])]]), { __proto__: null, a: -0 }, [NaN]];
    expect(decodeArguments(JSON.parse(JSON.stringify(encodeArguments(args))) as unknown[])).toEqual(args);
  });
});

function hasMinusZero(value: unknown): boolean {
  if (Object.is(value, -0)) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasMinusZero);
}
