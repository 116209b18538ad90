import { describe, expect, it } from 'vitest';

import { calls, type Files } from './calls.ts';

/** A package that makes text of JSX. */
const JSX_PACKAGE: Files = {
  'node_modules/tiny/package.json':
    '{ "name": "tiny", "exports": { "./jsx-runtime": "./runtime.js", ".": "./runtime.js" } }',
  'node_modules/tiny/runtime.js':
    'exports.jsx = exports.jsxs = exports.h = (tag, { children }) => `${tag}:${children}`;',
};

const valueOf = calls();

const config = (compilerOptions: object): Files => ({ 'modules/tsconfig.json': JSON.stringify({ compilerOptions }) });

const decorated = `const seen: string[] = [];
  const note = (_target: unknown, name: unknown): void => void seen.push(typeof name);
  class A { @note x = 1; }
  export const f = () => (new A(), seen);`;

describe('a module has', () => {
  it.each<[string, string | Files, unknown]>([
    // Syntax
    ['an enum', 'enum E { A = 3 } export const f = () => E[E.A];', 'A'],
    ['a const enum', 'const enum E { A = 3 } export const f = () => E.A;', 3],
    ['a namespace', 'namespace N { export const x = 1; } export const f = () => N.x;', 1],
    ['parameter properties', 'class A { constructor(readonly x: number) {} } export const f = () => new A(4).x;', 4],
    [
      'private members and static blocks',
      'class A { static #x = 0; static { A.#x = 5; } static get() { return A.#x; } } export const f = () => A.get();',
      5,
    ],
    ['accessors', 'class A { accessor x = 6; } export const f = () => new A().x;', 6],
    [
      'standard decorators',
      'const twice = (m: () => number) => function (this: unknown) { return m.call(this) * 2; };\nclass A { @twice m() { return 4; } } export const f = () => new A().m();',
      8,
    ],
    [
      'using',
      `const log: string[] = []; export const f = () => { { using _ = { [Symbol.dispose]: () => void log.push('end') }; log.push('body'); } return log; };`,
      ['body', 'end'],
    ],
    [
      'satisfies and generics',
      'const o = { a: 1 } satisfies Record<string, number>; const id = <T,>(x: T) => x; export const f = () => id(o.a);',
      1,
    ],
    [
      'async generators and for await',
      'async function* g() { yield 1; yield 2; } export const f = async () => { const all = []; for await (const x of g()) all.push(x); return all; };',
      [1, 2],
    ],
    [
      'regular expressions with v and named groups',
      String.raw`export const f = () => /(?<y>\p{L})/v.exec('é')?.groups?.['y'];`,
      'é',
    ],
    [
      'import = and export =',
      { 'modules/demo.ts': `import path = require('node:path'); export const f = () => path.sep;` },
      '/',
    ],

    // tsconfig
    [
      'extensionless imports',
      { 'modules/demo.ts': `export { f } from './lib/a';`, 'modules/lib/a.ts': 'export const f = () => 1;' },
      1,
    ],
    [
      'imports that end in .js and mean .ts',
      { 'modules/demo.ts': `export { f } from './lib/a.js';`, 'modules/lib/a.ts': 'export const f = () => 1;' },
      1,
    ],
    [
      'paths',
      {
        'modules/demo.ts': `export { f } from '@/a';`,
        'modules/lib/a.ts': 'export const f = () => 2;',
        ...config({ paths: { '@/*': ['./lib/*'] } }),
      },
      2,
    ],
    [
      'paths of an extended file, with comments and trailing commas',
      {
        'modules/demo.ts': `export { f } from '#lib/a';`,
        'lib/a.ts': 'export const f = () => 3;',
        'modules/tsconfig.json': `{ // ours\n "extends": ["../base"], }`,
        'base.json': `{ "compilerOptions": { /* theirs */ "paths": { "#lib/*": ["./lib/*"], }, }, }`,
      },
      3,
    ],
    [
      'options of a package',
      {
        'modules/demo.ts': 'class A { x: unknown; } export const f = () => Object.hasOwn(new A(), "x");',
        'modules/tsconfig.json': `{ "extends": "@tsconfig/old" }`,
        'node_modules/@tsconfig/old/tsconfig.json': `{ "compilerOptions": { "target": "ES2020" } }`,
      },
      false,
    ],
    [
      'class fields that are defined',
      { 'modules/demo.ts': 'class A { x: unknown; } export const f = () => Object.hasOwn(new A(), "x");' },
      true,
    ],
    [
      'class fields that are assigned',
      {
        'modules/demo.ts': 'class A { x: unknown; } export const f = () => Object.hasOwn(new A(), "x");',
        ...config({ useDefineForClassFields: false }),
      },
      false,
    ],
    [
      'experimental decorators',
      { 'modules/demo.ts': decorated, ...config({ experimentalDecorators: true }) },
      ['string'],
    ],
    ['standard decorators by default', { 'modules/demo.ts': decorated }, ['object']],
    [
      'jsx with the automatic runtime',
      {
        'modules/demo.tsx': 'export const f = () => <b>x</b>;',
        ...JSX_PACKAGE,
        ...config({ jsx: 'react-jsx', jsxImportSource: 'tiny' }),
      },
      'b:x',
    ],
    [
      'jsx that is to be preserved',
      {
        'modules/demo.tsx': 'export const f = () => <b>x</b>;',
        ...JSX_PACKAGE,
        ...config({ jsx: 'Preserve', jsxImportSource: 'tiny' }),
      },
      'b:x',
    ],
    [
      'jsx with a factory',
      {
        'modules/demo.tsx': `const make = (tag: string, _: null, x: string) => tag + x; export const f = () => <b>x</b>;`,
        ...config({ jsx: 'react', jsxFactory: 'make' }),
      },
      'bx',
    ],
    [
      'jsx with a pragma',
      { 'modules/demo.tsx': '/** @jsxImportSource tiny */ export const f = () => <b>x</b>;', ...JSX_PACKAGE },
      'b:x',
    ],

    // Imports
    [
      'import() of its own file',
      {
        'modules/demo.ts': `export const f = async () => (await import('./lib/a')).x;`,
        'modules/lib/a.ts': 'export const x = 1;',
      },
      1,
    ],
    [
      'import() with a pattern',
      {
        'modules/demo.ts': 'const name = "de"; export const f = async () => (await import(`./lib/${name}.ts`)).x;',
        'modules/lib/de.ts': 'export const x = 4;',
      },
      4,
    ],
    [
      'import() of a package',
      {
        'modules/demo.ts': `export const f = async () => (await import('yabba')).doo;`,
        'node_modules/yabba/index.js': 'exports.doo = 1;',
      },
      1,
    ],
    [
      'import() of a built-in, with a name that is computed',
      `const name = 'node:path'; export const f = async () => (await import(name)).sep;`,
      '/',
    ],
    [
      'imports of package.json',
      {
        'modules/demo.ts': `export { f } from '#a';`,
        'modules/lib/a.ts': 'export const f = () => 5;',
        'modules/package.json': '{ "imports": { "#a": "./lib/a.ts" } }',
      },
      5,
    ],
    [
      'JSON',
      {
        'modules/demo.ts': `import data from './data.json'; export const f = () => data.x;`,
        'modules/data.json': '{ "x": 1 }',
      },
      1,
    ],
    [
      'JSON by attribute',
      {
        'modules/demo.ts': `import data from './data.any' with { type: 'json' }; export const f = () => data.x;`,
        'modules/data.any': '{ "x": 1 }',
      },
      1,
    ],
    [
      'text by attribute',
      {
        'modules/demo.ts': `import text from './a.ts' with { type: 'text' }; export const f = () => text;`,
        'modules/a.ts': 'not = code',
      },
      'not = code',
    ],
    [
      'bytes by attribute',
      {
        'modules/demo.ts': `import bytes from './a.any' with { type: 'bytes' }; export const f = () => [...bytes];`,
        'modules/a.any': 'az',
      },
      [97, 122],
    ],
    [
      'text of a package by attribute',
      {
        'modules/demo.ts': `import text from 'yabba/a.any' with { type: 'text' }; export const f = () => text;`,
        'node_modules/yabba/a.any': 'doo',
      },
      'doo',
    ],
    [
      'SQL, HTML and other text',
      {
        'modules/demo.ts': `import a from './a.sql'; import b from './b.html'; export const f = () => a + b;`,
        'modules/a.sql': 'select',
        'modules/b.html': '<b>',
      },
      'select<b>',
    ],
    [
      'the bytes of WebAssembly',
      {
        'modules/demo.ts': `import code from './a.wasm'; export const f = () => String(new WebAssembly.Module(code));`,
        'modules/a.wasm': '\0asm\u0001\0\0\0',
      },
      '[object WebAssembly.Module]',
    ],
    [
      'require of its own file, of JSON and of a built-in',
      {
        'modules/demo.cts': `export const f = () => [require('./a.cjs').x, require('./a.json').x, require('node:path').sep];`,
        'modules/a.cjs': 'exports.x = 1;',
        'modules/a.json': '{ "x": 2 }',
      },
      [1, 2, '/'],
    ],

    // Names
    ['import.meta.url', 'export const f = () => import.meta.url;', 'file:///hotcast/modules/demo.ts'],
    [
      'import.meta.filename and dirname in its own files',
      {
        'modules/demo.ts': `export { f } from './lib/a';`,
        'modules/lib/a.ts': 'export const f = () => [import.meta.filename, import.meta.dirname];',
      },
      ['/hotcast/modules/lib/a.ts', '/hotcast/modules/lib'],
    ],
    [
      '__filename and __dirname',
      'export const f = () => [__filename, __dirname];',
      ['/hotcast/modules/demo.ts', '/hotcast/modules'],
    ],
    [
      'its own __dirname',
      `import { dirname } from 'node:path'; import { fileURLToPath } from 'node:url';\nconst __dirname = dirname(fileURLToPath(import.meta.url)); export const f = () => __dirname;`,
      '/hotcast/modules',
    ],
    ['import.meta.main', 'export const f = () => import.meta.main;', false],
    [
      'new URL of a folder and of an address',
      `export const f = () => [new URL('..', import.meta.url).pathname, new URL('https://a.b/c', import.meta.url).host];`,
      ['/hotcast/', 'a.b'],
    ],
    [
      'refused names in comments',
      '// not import.meta.env\nexport const f = () => 1; /* createRequire(import.meta.url) */',
      1,
    ],
    ['process.env', { 'modules/demo.ts': `export const f = () => typeof process.env.PATH;` }, 'string'],
  ])('%s', async (_, source, expected) => {
    expect(await valueOf(typeof source === 'string' ? { 'modules/demo.ts': source } : source)).toEqual(expected);
  });
});
