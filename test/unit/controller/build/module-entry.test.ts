import { join } from 'node:path';

import { expect, it } from 'vitest';

import { compile } from '../../../../controller/src/build/compile.ts';
import { availableModules, moduleEntry } from '../../../../controller/src/build/module-entry.ts';
import { UsageError } from '../../../../protocol/errors.ts';
import { projects } from '../../projects.ts';

const project = projects();
const es = 'export const add = (x, y) => x + y;';
const cjs = 'exports.add = (x, y) => x + y;';

it.each([
  ['demo.ts', es],
  ['demo.tsx', es],
  ['demo.mts', es],
  ['demo.cts', es],
  ['demo.js', es],
  ['demo.jsx', es],
  ['demo.mjs', es],
  ['demo.cjs', cjs],
  ['demo/index.ts', es],
  ['demo/index.tsx', es],
  ['demo/index.mts', es],
  ['demo/index.cts', es],
  ['demo/index.js', cjs],
  ['demo/index.jsx', es],
  ['demo/index.mjs', es],
  ['demo/index.cjs', cjs],
])('finds and compiles a module in %s', async (file, source) => {
  const modules = project({ [`modules/${file}`]: source });
  expect(availableModules(modules)).toEqual(['demo']);
  expect(moduleEntry(modules, 'demo')).toBe(join(modules, file));
  const { bundle } = await compile(modules, 'demo');
  expect(bundle).toMatchObject({ file: `modules/${file}`, exports: expect.arrayContaining(['add']) as unknown });
});

it('says which names are possible, which modules are there, and which files can be none', () => {
  const modules = project({
    'modules/demo.ts': es,
    'modules/counter/index.mjs': es,
    'modules/globals.d.ts': '',
    'modules/demo.test.ts': '',
    'modules/Upper.ts': es,
    'modules/empty/readme.md': '',
  });
  expect(availableModules(modules)).toEqual(['counter', 'demo']);
  expect(() => moduleEntry(modules, 'dmeo')).toThrow(
    new UsageError(
      'there is no modules/dmeo.ts and no modules/dmeo/index.ts (or .tsx, .mts, .cts, .js, .jsx, .mjs, .cjs); modules here: ' +
        'counter, demo; not the name of a module: Upper.ts (it has a lower-case letter, then up to 62 lower-case letters, ' +
        'digits or dashes (but not constructor or prototype))',
    ),
  );
});

it('says that there are no modules', () => {
  expect(() => moduleEntry(join(project({}), 'nowhere'), 'demo')).toThrow('modules here: none yet');
});

it('refuses a module with two sources', () => {
  const modules = project({ 'modules/demo.ts': es, 'modules/demo/index.ts': es });
  expect(() => moduleEntry(modules, 'demo')).toThrow(
    new UsageError('there are both modules/demo.ts and modules/demo/index.ts: remove one'),
  );
});
