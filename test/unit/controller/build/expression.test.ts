import { createContext, runInContext } from 'node:vm';

import { describe, expect, it } from 'vitest';

import { compileExpression } from '../../../../controller/src/build/expression.ts';

const demo = { add: (x: number, y: number) => x + y, total: async () => Promise.resolve(7) };
const modules: Readonly<Record<string, unknown>> = { 'hot:demo': demo, 'hot:my-web': { port: 80 } };

/** Runs lines of one shell; what it keeps, and the value of the last line. */
async function valueOf(...lines: string[]): Promise<unknown> {
  const kept: Record<string, unknown> = {};
  const names = new Set<string>();
  let value: unknown;
  for (const line of lines) {
    const compiled = await compileExpression(line, ['demo', 'my-web'], [...names]);
    for (const name of compiled.names) names.add(name);
    const exports: { run?: (values: object) => Promise<unknown> } = {};
    const require = Object.assign((id: string) => modules[id] ?? process.getBuiltinModule(id), {
      import: (id: string): unknown => process.getBuiltinModule(id),
    });
    runInContext(compiled.code, createContext({ exports, require, process, setTimeout }));
    value = await exports.run?.(kept);
  }
  return value;
}

describe('a line of a shell', () => {
  it.each<[string, unknown]>([
    ['1 + 1', 2],
    ['demo.add(1, 2) * 2', 6],
    ['await demo.total()', 7],
    ['(await demo.total()) as number', 7],
    ['Object.keys(process.env).length > 0', true],
    ["'use strict'", 'use strict'],
    ['"demo"; // a comment', 'demo'],
    ['myWeb.port', 80],
    ['({ a: 1 }).a', 1],
    ['let a = 2; a * 2', 4],
    ['if (true) 1', undefined],
    ["(await import('node:path')).sep", '/'],
    ["require('node:path').sep", '/'],
    ['const x = demo.add(1, 2)', undefined],
    ['', undefined],
  ])('%s is %j', async (line, value) => {
    expect(await valueOf(line)).toEqual(value);
  });

  it('names the packages that it takes something from', async () => {
    const line = `require('node:fs'); const z = require("zod/v4"); (await import('hono')).Hono; demo.add(1, 2)`;
    expect((await compileExpression(line, ['demo'], [])).packages).toEqual(['zod/v4', 'hono']);
    expect((await compileExpression('(await import("hono")).Hono', [], [])).packages).toEqual(['hono']);
  });

  it('can be an object', async () => {
    expect(await valueOf('{ a: demo.add(1, 2) }')).toMatchObject({ a: 3 });
  });

  it.each<[string[], unknown]>([
    [['const x = demo.add(1, 2)', 'x * 2'], 6],
    [['const { a, b: [c, ...d] } = { a: 1, b: [2, 3] }, e = a', '[a, c, d.length, e].join()'], '1,2,1,1'],
    [['function twice(x: number) { return 2 * x }', 'twice(4)'], 8],
    [['class A { get one() { return 1 } }', 'new A().one'], 1],
    [['let x = 1', 'x += 1', 'x'], 2],
    [['let a = 1, b = 2', '[a, b] = [b, a]; 0', '[a, b].join()'], '2,1'],
    [['let x = 1', 'setTimeout(() => (x = 9), 0); x', 'x'], 1],
    [['var x: number', 'x'], undefined],
    [['const x = 1', 'const x = 2', 'x'], 2],
  ])('keeps what is declared for the next lines: %j', async (lines, value) => {
    expect(await valueOf(...lines)).toEqual(value);
  });

  it('keeps what was declared before it threw', async () => {
    const kept: Record<string, unknown> = {};
    const { code, names } = await compileExpression('const x = 1; missing()', [], []);
    const exports: { run?: (values: object) => Promise<unknown> } = {};
    runInContext(code, createContext({ exports }));
    await expect(exports.run?.(kept)).rejects.toThrow('missing is not defined');
    expect({ kept, names }).toEqual({ kept: { x: 1 }, names: ['x'] });
  });

  it('shows where it does not compile', async () => {
    await expect(compileExpression('const x = ;', [], [])).rejects.toThrow(
      /^the line does not compile; nothing was sent\nshell:1:11: .*\n {2}1 \| const x = ;\n +\^$/,
    );
  });

  it('declares no name of a module, and imports nothing', async () => {
    await expect(compileExpression('const demo = 1', ['demo'], [])).rejects.toThrow('demo is a module');
    await expect(compileExpression("import fs from 'node:fs'", [], [])).rejects.toThrow("require('node:fs')");
  });
});
