import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseCall } from '../../../../../controller/src/commands/call/parse-call.ts';
import { UsageError } from '../../../../../protocol/errors.ts';
import { moduleNames } from '../../../fixtures.ts';

describe('parseCall', () => {
  it.each([
    ['demo.add(4, 5)', 'demo', ['add'], [4, 5]],
    ['  demo.add ( 4,5 ) ; ', 'demo', ['add'], [4, 5]],
    ['demo.now()', 'demo', ['now'], []],
    ['two-words.run_$2()', 'two-words', ['run_$2'], []],
    ['demo.greet("a, b) (c")', 'demo', ['greet'], ['a, b) (c']],
    ['demo.f({"a": [1, null, true]}, "x")', 'demo', ['f'], [{ a: [1, null, true] }, 'x']],
    ['demo.f(\n  1,\n  2\n)', 'demo', ['f'], [1, 2]],
    ['demo.store.get("x")', 'demo', ['store', 'get'], ['x']],
    ['demo["with-dash"](1)', 'demo', ['with-dash'], [1]],
    [`demo['a']["b"].c()`, 'demo', ['a', 'b', 'c'], []],
    ['demo.default(1)', 'demo', ['default'], [1]],
  ])('reads %j', (text, module, path, args) => {
    expect(parseCall(text)).toEqual({ module, path, args });
  });

  it.each([
    [`'fred'`, 'fred'],
    ['`fred\n`', 'fred\n'],
    [`{ a: 1, 'b-c': [2,], 7: 3, }`, { a: 1, 'b-c': [2], 7: 3 }],
    ['undefined', undefined],
    ['NaN', NaN],
    ['-Infinity', -Infinity],
    ['-0', -0],
    ['+1.5e3', 1500],
    ['0xff', 255],
    ['1_000', 1000],
    ['10n', 10n],
    ['-9007199254740993n', -9007199254740993n],
    ['9007199254740992', 2 ** 53],
    ['true', true],
    ['/x+/gi', /x+/gi],
    [`new Map([['a', new Set([1n])]])`, new Map([['a', new Set([1n])]])],
    ['new Set()', new Set()],
    [`new Date('1970-01-01')`, new Date(0)],
    ['new Uint8Array([1, 2])', new Uint8Array([1, 2])],
    ['new BigInt64Array([1n])', new BigInt64Array([1n])],
  ])('reads the argument %s as JavaScript does', (text, value) => {
    expect(parseCall(`demo.f(${text})`).args).toStrictEqual([value]);
    expect(parseCall(`demo.f(${text}, 2,)`).args).toStrictEqual([value, 2]);
  });

  it('keeps holes of an array', () => {
    const [list] = parseCall('demo.f([1, , 3])').args as [unknown[]];
    expect([list.length, 1 in list]).toEqual([3, false]);
  });

  it('gives back every argument that JSON can say', () => {
    const name = fc.stringMatching(/^[A-Za-z_$][\w$]{0,20}$/);
    fc.assert(
      fc.property(moduleNames, name, fc.array(fc.jsonValue()), (module, called, args) => {
        const inner = args.map(arg => JSON.stringify(arg)).join(', ');
        const parsed = parseCall(`${module}.${called}(${inner})`);
        expect(parsed).toEqual({ module, path: [called], args: JSON.parse(`[${inner}]`) as unknown[] });
        expect(JSON.stringify(parsed.args)).toBe(JSON.stringify(args));
      }),
    );
  });

  it.each([
    ['9007199254740993', '9007199254740993 loses digits as a number: write 9007199254740993n'],
    ['[{ id: -12345678901234567890 }]', '12345678901234567890 loses digits as a number: write 12345678901234567890n'],
    ['0x20000000000001', '0x20000000000001 loses digits as a number: write 0x20000000000001n'],
    ['1e999', '1e999 is too large for a number'],
  ])('refuses an integer that would lose digits: %s', (text, detail) => {
    expect(() => parseCall(`demo.f(${text})`)).toThrow(new UsageError(`an argument can not be read: ${detail}`));
  });

  it.each([
    ['x', 'x'],
    ['f(1)', 'f(1)'],
    ['[1, ...[2]]', '...[2]'],
    ['{ x }', 'x'],
    ['{ f() {} }', 'f() {}'],
    ['{ get a() { return 1 } }', 'get a() { return 1 }'],
    ['1 + 2', '1 + 2'],
    ['() => 1', '() => 1'],
    ['`a${1}`', '`a${1}`'],
    ['!1', '!1'],
    ['new Function("1")', 'new Function("1")'],
    ['new Map(1)', 'new Map(1)'],
    ['new Date()', 'new Date()'],
    ['...[1]', '...[1]'],
    ['import("node:fs")', 'import("node:fs")'],
    ['globalThis.x = 1', 'globalThis.x = 1'],
  ])('evaluates nothing, and names what is no literal: %s', (text, named) => {
    const hint = `write values such as 'x', [1], { a: 10n }, undefined`;
    expect(() => parseCall(`demo.f(${text})`)).toThrow(
      new UsageError(`an argument can not be read: ${named} is no literal: ${hint}`),
    );
  });

  it.each([
    '',
    'demo',
    'demo.add',
    'add(1)',
    'demo.add(1',
    'demo.add 1)',
    'demo:add(1, 2).',
    '.add(1)',
    'demo.(1)',
    'demo?.add(1)',
    'demo.add?.(1)',
    'demo[add](1)',
    'demo.add()()',
    'demo.f().g()',
    'demo.#x()',
    'demo.add`1`',
    'demo.add(1) + demo.add(2)',
    'demo.add(1); demo.add(2)',
    'demo.add(1], "extra": [2)',
    'demo.add("a',
    'Demo.add(1)',
    '../demo.add(1)',
    'demo.2add(1)',
    'hotcast.*.add(1)',
    'demo["2"',
    '(demo.add)(1)',
  ])('says how to write a call for %j', text => {
    expect(() => parseCall(text)).toThrow(
      new UsageError(`${JSON.stringify(text)} is no call: write it as 'demo.add(4, 5)'`),
    );
  });
});
