import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { toJson } from '../../../shared/json-value.ts';

const cycle: Record<string, unknown> = { name: 'fred' };
cycle['self'] = { again: cycle };

/** A value after JSON: without undefined properties and without -0. */
function afterJson(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (Array.isArray(value)) return value.map(afterJson);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(kept.map(([key, item]) => [key, afterJson(item)]));
}

describe('toJson', () => {
  it('refuses a value, or JSON.parse returns the same value', () => {
    const anything = fc.anything({
      withBigInt: true,
      withBoxedValues: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withSparseArray: true,
      withTypedArray: true,
    });
    fc.assert(
      fc.property(anything, value => {
        const result = toJson(value);
        if (!result.ok) expect(result.detail).toMatch(/^the value/);
        else if (result.json === undefined) expect(value).toBeUndefined();
        else expect(JSON.parse(result.json)).toEqual(afterJson(value));
      }),
      { numRuns: 500 },
    );
  });

  it('accepts every JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        expect(toJson(value)).toEqual({ ok: true, json: JSON.stringify(value) });
      }),
    );
  });

  it.each([
    [() => 1, 'the value is of type function'],
    [Symbol('x'), 'the value is of type symbol'],
    [10n, 'the value is of type bigint'],
    [Number.NaN, 'the value is NaN'],
    [{ speed: Infinity }, 'the value.speed is Infinity'],
    [[1, undefined], 'the value[1] is of type undefined'],
    // oxlint-disable-next-line no-sparse-arrays
    [[1, , 3], 'the value[1] is of type undefined'],
    [{ list: [{ f: () => 1 }] }, 'the value.list[0].f is of type function'],
    [new Map([['a', 1]]), 'the value is of type Map'],
    [{ tags: new Set() }, 'the value.tags is of type Set'],
    [/x/, 'the value is of type RegExp'],
    [new Error('x'), 'the value is of type Error'],
    [[Promise.resolve(1)], 'the value[0] is of type Promise'],
    [new Uint8Array(2), 'the value is of type Uint8Array'],
    [Object(1n), 'the value is of type BigInt'],
    [cycle, 'the value.self.again contains itself'],
  ])('refuses %o: %s', (value, detail) => {
    expect(toJson(value)).toEqual({ ok: false, detail: `${detail}, which JSON can't carry` });
  });

  it('has no JSON for undefined itself', () => {
    expect(toJson(undefined)).toEqual({ ok: true, json: undefined });
  });

  it('leaves out properties that are undefined', () => {
    expect(toJson({ a: 1, b: undefined })).toEqual({ ok: true, json: '{"a":1}' });
  });

  it('uses the toJSON of a value', () => {
    const at = new Date(0);
    expect(toJson({ at })).toEqual({ ok: true, json: '{"at":"1970-01-01T00:00:00.000Z"}' });
    expect(toJson({ toJSON: () => 'fred', f: () => 1 })).toEqual({ ok: true, json: '"fred"' });
  });

  it('accepts an object that occurs twice, side by side', () => {
    const twice = { x: 1 };
    expect(toJson([twice, twice])).toEqual({ ok: true, json: '[{"x":1},{"x":1}]' });
  });

  it('writes the properties of instances of classes', () => {
    class Point {
      x = 1;
    }
    expect(toJson(new Point())).toEqual({ ok: true, json: '{"x":1}' });
  });

  it.each([
    ['a text', 'x'.repeat(101)],
    ['a list', Array.from({ length: 60 }, () => 1)],
    ['many objects', Array.from({ length: 40 }, () => ({}))],
    ['characters of two bytes', 'é'.repeat(60)],
    ['an object with toJSON', { toJSON: () => 'x'.repeat(101) }],
  ])('refuses more bytes than the limit: %s', (_, value) => {
    expect(toJson(value, 100)).toEqual({ ok: false, detail: 'the value is larger than 100 bytes of JSON' });
  });

  it('neither writes nor visits a value that is far too large', () => {
    const list: unknown[] = [];
    list.length = 4_000_000_000;
    list[0] = list[1] = 'x'.repeat(1_000);
    expect(toJson(list, 1_000)).toMatchObject({ ok: false });
    expect(toJson(list)).toEqual({ ok: false, detail: `the value[2] is of type undefined, which JSON can't carry` });
  });
});
