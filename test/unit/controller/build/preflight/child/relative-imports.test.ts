import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { expect, it, onTestFinished } from 'vitest';

import { relativeImports } from '../../../../../../controller/src/build/preflight/child/relative-imports.ts';

const FILES = {
  'node_modules/esm/package.json': '{ "type": "module" }',
  'node_modules/esm/index.js': '',
  'node_modules/esm/lib/a.js': '',
  'node_modules/esm/lib/a.cjs': '',
  'node_modules/esm/old/package.json': '{}',
  'node_modules/esm/old/b.js': '',
  'node_modules/cjs/package.json': '{}',
  'node_modules/cjs/c.js': '',
  'node_modules/cjs/c.mjs': '',
  'package.json': '{ "type": "module" }',
  'node_modules/none/d.js': '',
};

it.each([
  ['a file of the package', 'esm/index.js', './lib/a.js', 'esm/lib/a.js'],
  ['a file above', 'esm/lib/a.js', '../index.js', 'esm/index.js'],
  ['an .mjs in a package of CommonJS', 'cjs/c.mjs', './c.mjs', 'cjs/c.mjs'],
  ['CommonJS', 'esm/index.js', './lib/a.cjs', null],
  ['CommonJS in a folder with a package.json of its own', 'esm/index.js', './old/b.js', null],
  ['a .js of a package of CommonJS', 'cjs/c.mjs', './c.js', null],
  ['a package without package.json: that of the project is another one', 'esm/index.js', '../none/d.js', null],
  ['a file that is not there', 'esm/index.js', './lib/missing.js', null],
  ['a link', 'esm/index.js', './link.js', null],
  ['a folder', 'esm/index.js', './lib', null],
  ['a query', 'esm/index.js', './lib/a.js?x', null],
  ['a package', 'esm/index.js', 'esm/lib/a.js', null],
])('an import of %s', (_, from, specifier, expected) => {
  const folder = mkdtempSync(join(tmpdir(), 'hotcast-imports-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  symlinkSync('index.js', join(folder, 'node_modules/esm/link.js'));
  const urlOf = (path: string): string => pathToFileURL(join(folder, 'node_modules', path)).href;
  const resolve = relativeImports();
  const context = { conditions: ['node', 'import'], parentURL: urlOf(from) };
  const wanted = expected === null ? null : { url: urlOf(expected), format: 'module' };
  expect(resolve(specifier, context)).toEqual(wanted);
  expect(resolve(specifier, { ...context, conditions: ['node', 'require'] })).toBeNull();
});
