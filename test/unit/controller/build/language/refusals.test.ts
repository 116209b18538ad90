import { describe, expect, it } from 'vitest';

import { compile } from '../../../../../controller/src/build/compile.ts';
import { projects } from '../../../projects.ts';

const project = projects();

describe('a module has not', () => {
  it.each<[string, string, string]>([
    [
      'top-level await',
      'export const x = await 1;',
      '1:18: Top-level await is not supported, because the modules of a push load together, in one turn of the event loop: put it into an async function, and keep the promise of its result',
    ],
    [
      'a worker with a file',
      `import { Worker } from 'node:worker_threads';\nexport const f = () => new Worker(new URL('./w.ts', import.meta.url));`,
      `2:24: a worker can't load ./w.ts, because only what is imported is sent to the nodes: start it from its text, import code from './w.txt' (JavaScript) and new Worker(code, { eval: true }), and end it with import.meta.hot.dispose`,
    ],
    [
      'files beside it',
      `import { readFileSync } from 'node:fs';\nexport const f = () => readFileSync(new URL('./a.sql', import.meta.url));`,
      `2:37: ./a.sql is not sent to the nodes: import it (import text from './a.sql' with { type: 'text' }, or 'bytes')`,
    ],
    [
      'createRequire',
      `import { createRequire } from 'node:module';\nexport const f = () => createRequire(import.meta.url)('x');`,
      '2:24: createRequire finds no files and no packages on a node: write import or require() themselves, which are compiled into the module',
    ],
    [
      'require.resolve',
      `export const f = () => require.resolve('x');`,
      '1:24: require.resolve finds nothing on a node, because files and packages are compiled into the module: import what is needed',
    ],
    [
      'import.meta.env',
      'export const f = () => import.meta.env.MODE;',
      '1:24: import.meta.env is not there on a node: use process.env',
    ],
    [
      'import.meta.env behind a cast',
      'export const f = () => (import.meta as any).env.MODE;',
      '1:25: import.meta is no value in a module: use import.meta.hot, .url, .dirname, .filename or .main',
    ],
    [
      'import.meta.resolve',
      `export const f = () => import.meta.resolve('x');`,
      '1:24: import.meta.resolve is not there on a node: a module has import.meta.hot, .url, .dirname, .filename and .main',
    ],
    [
      'import.meta as a value',
      'export const f = () => import.meta;',
      '1:24: import.meta is no value in a module: use import.meta.hot, .url, .dirname, .filename or .main',
    ],
    [
      'a package that is not installed',
      `import x from '@acme/left-pad/sub';\nexport const f = x;`,
      '1:15: Could not resolve "@acme/left-pad/sub": is @acme/left-pad installed (npm install @acme/left-pad)?',
    ],
    [
      'a file of an unknown kind',
      `import x from './tsconfig.tmp';\nexport const f = x;`,
      `1:15: No loader is configured for ".tmp" files: modules/tsconfig.tmp (import it with { type: 'text' }, { type: 'bytes' } or { type: 'json' })`,
    ],
    [
      'an unknown import attribute',
      `import x from './demo.ts' with { type: 'yaml' };\nexport const f = x;`,
      `1:15: modules/demo.ts is imported with { type: 'yaml' }: the types are 'json', 'text' and 'bytes'`,
    ],
  ])('%s: the compile says why, and what to do', async (_, source, line) => {
    await expect(compile(project({ 'modules/demo.ts': source, 'modules/tsconfig.tmp': '' }), 'demo')).rejects.toThrow(
      `demo does not compile; nothing was sent\nmodules/demo.ts:${line}\n`,
    );
  });
});

describe('the push warns of', () => {
  it.each<[string, string, readonly string[]]>([
    [
      'what esbuild warns of',
      'export const f = (x: number) => x === NaN;',
      ['modules/demo.ts:1:35: Comparison with NaN using the "===" operator here is always false'],
    ],
    [
      'a path where no files are',
      `import { join } from 'node:path';\nexport const f = () => join(import.meta.dirname, 'a.sql');`,
      [
        "modules/demo.ts:2:29: import.meta.dirname is a path in /hotcast, where a node has no files: import what the module reads (import text from './file.sql' with { type: 'text' })",
      ],
    ],
    ['nothing in a comment', '// not __dirname\nexport const f = () => 1;', []],
  ])('%s', async (_, source, expected) => {
    const { warnings } = await compile(project({ 'modules/demo.ts': source }), 'demo');
    expect(warnings.map(each => each.split('\n')[0])).toEqual(expected);
  });
});
