import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { moduleResolve } from 'import-meta-resolve';
import { describe, expect, it } from 'vitest';

import { packageNodes } from './package-nodes.ts';
import type { FixturePackage } from './package-set.ts';

const { requireOf } = packageNodes();

const files = (...paths: string[]) => Object.fromEntries(paths.map(path => [path, '']));
const RESOLVERS = `exports.require = x => require.resolve(x); exports.import = x => require.resolve('npm:' + x);`;

/** Packages of all shapes, which `a` finds. */
const INSTALLED: Readonly<Record<string, FixturePackage>> = {
  a: {
    manifest: {
      imports: {
        '#own': './lib/own.js',
        '#cond': { import: './lib/esm.js', require: './lib/cjs.js' },
        '#b': 'b/sub.js',
        '#files/*.js': './lib/*.js',
        '#none': null,
      },
    },
    files: {
      ...files(
        'lib/own.js',
        'lib/esm.js',
        'lib/cjs.js',
        'lib/index.js',
        'lib.js',
        'data.json',
        'x.node',
        'deep/nested/y.js',
      ),
      'index.js': '',
      'lib/at.js': RESOLVERS,
      'deep/package.json': '{"main": "./nested/y"}',
    },
    dependencies: [
      'b',
      'dual',
      '@scope/c',
      'patterns',
      'sugar',
      'main-folder',
      'main-gone',
      'sub-main',
      'self',
      'array',
      'punycode',
    ],
  },
  b: { files: files('index.js', 'sub.js', 'sub/index.js', 'dir/index.json') },
  dual: {
    manifest: {
      exports: {
        '.': { import: './esm.mjs', require: './cjs.cjs' },
        './node': { browser: './browser.js', node: { import: './esm.mjs', default: './cjs.cjs' } },
        './only-import': { import: './esm.mjs' },
        './package.json': './package.json',
        './gone': './gone.js',
        './hidden': null,
      },
    },
    files: files('esm.mjs', 'cjs.cjs', 'browser.js'),
  },
  '@scope/c': { manifest: { main: 'lib/main' }, files: files('lib/main.js', 'other.js') },
  patterns: {
    manifest: {
      exports: {
        './features/*': './src/*.js',
        './features/*.js': './src/*.js',
        './features/private/*': null,
        './features/x/*': './x/*.js',
        './*/deep': './deep/*/*.js',
      },
    },
    files: files('src/one.js', 'src/private/two.js', 'x/three.js', 'deep/q/q.js'),
  },
  sugar: { manifest: { exports: { node: './node.js', default: './other.js' } }, files: files('node.js', 'other.js') },
  'main-folder': { manifest: { main: './dist' }, files: files('dist/index.js') },
  'main-gone': { manifest: { main: './gone.js' }, files: files('index.js') },
  'sub-main': { files: { ...files('index.js', 'v4/real.js'), 'v4/package.json': '{"main": "./real.js"}' } },
  self: {
    manifest: { exports: { '.': './index.js', './inner': './in/ner.js' } },
    files: { 'index.js': RESOLVERS, ...files('in/ner.js') },
  },
  array: { manifest: { exports: { '.': [{ import: './a.mjs' }, './b.cjs'] } }, files: files('a.mjs', 'b.cjs') },
  punycode: { files: files('index.js', 'punycode.js') },
};

const REQUIRED = [
  './own.js',
  './own',
  '.',
  './',
  '..',
  '../',
  '../lib',
  '../lib/',
  '../data',
  '../data.json',
  '../x',
  '../deep',
  './gone',
  '../deep/nested/y',
  'b',
  'b/sub',
  'b/sub/',
  'b/sub.js',
  'b/dir',
  'b/gone',
  'b/package.json',
  'gone',
  '@scope/c',
  '@scope/c/other',
  '@scope/gone',
  'dual',
  'dual/node',
  'dual/only-import',
  'dual/package.json',
  'dual/hidden',
  'dual/cjs.cjs',
  'dual/none',
  'patterns/features/one',
  'patterns/features/one.js',
  'patterns/features/private/two',
  'patterns/features/x/three',
  'patterns/q/deep',
  'patterns',
  'sugar',
  'sugar/node.js',
  'main-folder',
  'main-gone',
  'sub-main/v4',
  'self',
  'array',
  '#own',
  '#cond',
  '#b',
  '#files/esm.js',
  '#none',
  '#gone',
  'fs',
  'node:fs',
  'fs/promises',
  'node:test',
  'punycode',
  'punycode/',
  '../../b',
  '../../a/lib/own.js',
];

/**
 * Files that `import` names in full: without that, Node.js finds none. import-meta-resolve differs from Node.js in what is left out
 * too, `node:test` and a pattern with an end.
 */
const IMPORTED = REQUIRED.filter(
  specifier =>
    (!/^\.\.?(?:\/|$)|\/$/.test(specifier) || ['./own.js', '../data.json', './gone'].includes(specifier)) &&
    !['b/sub', 'b/dir', '@scope/c/other', 'sub-main/v4', 'node:test', '#files/esm.js'].includes(specifier),
);

const outcomeOf = (resolve: () => string): string => {
  try {
    return resolve();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
};

describe('a package finds', () => {
  it('what Node.js finds in the same folders, by require', async () => {
    const { require } = await requireOf(INSTALLED);
    const at = require.resolve('a/lib/at');
    const ours = require('a/lib/at') as { require: (specifier: string) => string };
    const nodes = createRequire(at);
    const results = (resolve: (specifier: string) => string) =>
      REQUIRED.map(specifier => `${specifier} ${outcomeOf(() => resolve(specifier))}`);
    expect(results(ours.require)).toEqual(results(nodes.resolve));
  });

  it('what Node.js finds there, by import', async () => {
    const { require } = await requireOf(INSTALLED);
    const at = require.resolve('a/lib/at');
    const ours = require('a/lib/at') as { import: (specifier: string) => string };
    const conditions = new Set(['node', 'import', 'module-sync', 'node-addons']);
    const nodes = (specifier: string): string => {
      const { href } = moduleResolve(specifier, pathToFileURL(at), conditions);
      return href.startsWith('file:') ? fileURLToPath(href) : href.replace('node:', '');
    };
    const results = (resolve: (specifier: string) => string) =>
      IMPORTED.map(specifier => `${specifier} ${outcomeOf(() => resolve(specifier))}`);
    expect(results(specifier => ours.import(specifier).replace('node:', ''))).toEqual(results(nodes));
  });
});
