import { gunzipSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { decodeArchive } from '../../../../../protocol/packages.ts';
import { babel, cjs, esm, packageFiles, packageProjects } from './fixture.ts';

const { compiled, valueOf } = packageProjects();

describe('a package', () => {
  const use = (name: string) => `import * as it from '${name}'; export const value = it.value;`;

  it('finds its own version of another one', async () => {
    const user = packageFiles(
      'user',
      { dependencies: { cjs: '2' } },
      { 'index.js': `exports.value = require('cjs').name;` },
    );
    const nested = packageFiles(
      'cjs',
      { version: '2.0.0' },
      { 'index.js': `exports.name = 'nested';` },
      'node_modules/user/',
    );
    const source = `import { value as inner } from 'user'; import { name } from 'cjs'; export const value = [inner, name];`;
    expect(await valueOf(source, user, nested, cjs)).toEqual(['nested', 'cjs']);
  });

  it('finds the peer that the module uses too: the same instance', async () => {
    const user = packageFiles(
      'user',
      { peerDependencies: { cjs: '*' } },
      { 'index.js': `exports.up = () => require('cjs').up();` },
    );
    const source = `import { up } from 'user'; import all from 'cjs'; up(); export const value = all.count;`;
    expect(await valueOf(source, user, cjs)).toBe(2);
  });

  it('can look for an optional one that is not installed', async () => {
    const user = packageFiles(
      'user',
      {
        peerDependencies: { absent: '*' },
        peerDependenciesMeta: { absent: { optional: true } },
        optionalDependencies: { gone: '*' },
      },
      { 'index.js': `try { require('absent'); } catch (error) { exports.value = error.code; }` },
    );
    expect(await valueOf(use('user'), user)).toBe('MODULE_NOT_FOUND');
  });

  it('can depend on another one that depends on it', async () => {
    const one = packageFiles(
      'one',
      { dependencies: { two: '*' } },
      { 'index.js': `exports.early = 1; exports.value = require('two').value;` },
    );
    const two = packageFiles(
      'two',
      { dependencies: { one: '*' } },
      { 'index.js': `exports.value = require('one').early + 1;` },
    );
    expect(await valueOf(use('one'), one, two)).toBe(2);
  });

  it('can be ES modules that import each other, JSON, built-ins, CommonJS and themselves', async () => {
    const user = packageFiles(
      'user',
      { type: 'module', exports: { '.': './main.js', './data.json': './data.json' }, dependencies: { babel: '*' } },
      {
        'main.js': `import { other } from './other.js'; import data from 'user/data.json' with { type: 'json' };
          import babel, { name } from 'babel'; import { sep } from 'node:path';
          export function hoisted() { return 'hoisted'; }
          export const value = [other(), data.x, babel.default, name, sep, typeof require, typeof module, this === undefined];`,
        'other.js': `import { hoisted } from './main.js'; export * from './more/index.js'; export const other = () => hoisted();`,
        'more/index.js': `export const more = 1; export * as all from '../other.js';`,
        'data.json': '{ "x": 1 }',
      },
    );
    expect(await valueOf(use('user'), user, babel)).toEqual([
      'hoisted',
      1,
      'inner',
      'babel',
      '/',
      'undefined',
      'undefined',
      true,
    ]);
  });

  it('can import() from CommonJS, also what it computes, and sees an ES module and CommonJS as Node.js does', async () => {
    const user = packageFiles(
      'user',
      { dependencies: { esm: '*', babel: '*' } },
      {
        'index.js': `const name = n => 'ba' + n; exports.value = Promise.all([import('esm'), import(name(('bel')))]).then(([a, b]) => [a.default, b.default.default]);`,
      },
    );
    expect(await valueOf(use('user'), user, esm, babel)).toEqual(['the default', 'inner']);
  });

  it('has import.meta, a __filename and files beside its code', async () => {
    const user = packageFiles(
      'user',
      { type: 'module', exports: './lib/main.js' },
      {
        'lib/main.js': `import { readFileSync } from 'node:fs'; export const value = readFileSync(new URL('../data.txt', import.meta.url), 'utf8');`,
        'data.txt': 'yabba',
      },
    );
    expect(await valueOf(use('user'), user)).toBe('yabba');
  });

  it('can have ES modules that only their syntax tells, where Node.js reaches them', async () => {
    const user = packageFiles(
      'user',
      { exports: { '.': { node: { import: './es/main.js' }, default: './index.js' } } },
      {
        'es/main.js': `import { x } from './x.js';\nexport const value = x;`,
        'es/x.js': `export const x = 'x';`,
        'es/bundlers.js': 'export const y = 1;',
        'index.js': '',
      },
    );
    expect(await valueOf(use('user'), user)).toBe('x');
  });

  it('can be CommonJS with lines that look like an ES module, as examples in texts are', async () => {
    const example = `exports.value = typeof module + \`
      export const a = 1;
      import { b } from 'b';
    \`.trim().length;`;
    const user = packageFiles('user', {}, { 'index.js': `#!/usr/bin/env node\n${example}` });
    expect(await valueOf(use('user'), user)).toBe('object48');
  });

  it('with a top-level await fails where it is loaded, and says why', async () => {
    const files = { 'main.js': 'export const value = 1;', 'late.js': 'export const value = await 1;' };
    const user = packageFiles('user', { type: 'module', exports: { '.': './main.js', './late': './late.js' } }, files);
    expect(await valueOf(use('user'), user)).toBe(1);
    await expect(valueOf(use('user/late'), user)).rejects.toThrow(
      'user 1.0.0/late.js has a top-level await, which a package of a hot module must not have',
    );
  });

  it('travels without types, sources, maps and texts, and with everything else', async () => {
    const files = {
      'index.js': '',
      'index.d.ts': '',
      'index.ts': '',
      'index.js.map': '',
      'README.md': '',
      'a.wasm': '\0',
      'bin/run': '#!/bin/sh',
    };
    const inner = packageFiles('inner', {}, { 'index.js': '' }, 'node_modules/user/');
    const { packages } = await compiled(
      `import 'user'; export const value = 1;`,
      packageFiles('user', {}, files),
      inner,
    );
    const [archive = expect.fail('no archive'), ...others] = packages?.archives ?? [];
    const { files: travelling } = decodeArchive(gunzipSync(await archive.packed()));
    expect([[...travelling.keys()], others]).toEqual([['a.wasm', 'bin/run', 'index.js', 'package.json'], []]);
  });
});
