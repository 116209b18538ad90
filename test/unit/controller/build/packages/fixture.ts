import { onTestFinished } from 'vitest';

import { compile, type Compiled } from '../../../../../controller/src/build/compile.ts';
import { projects } from '../../../projects.ts';
import { PackageNode } from './package-node.ts';

export type Files = Readonly<Record<string, string>>;

/** The files of a package, in `node_modules` of a folder. */
export function packageFiles(name: string, json: object, files: Files, folder = ''): Files {
  const path = `${folder}node_modules/${name}`;
  const entries = Object.entries(files).map(([file, text]) => [`${path}/${file}`, text]);
  return {
    [`${path}/package.json`]: JSON.stringify({ name, version: '1.0.0', ...json }),
    ...Object.fromEntries(entries),
  };
}

function node(): PackageNode {
  const made = new PackageNode();
  onTestFinished(() => made[Symbol.dispose]());
  return made;
}

/** Writes projects with packages, and compiles their module `demo`. Call it once a test file. */
export function packageProjects() {
  const project = projects();
  const compiled = (source: string, ...packages: Files[]): Promise<Compiled> =>
    compile(project(Object.assign({ 'modules/demo.ts': source }, ...packages)), 'demo');
  return {
    project,
    compiled,
    /** What the module exports as `value`, on a node. */
    valueOf: async (source: string, ...packages: Files[]): Promise<unknown> =>
      (await node().load(await compiled(source, ...packages)))['value'],
    errorOf: (source: string, ...packages: Files[]): Promise<unknown> =>
      compiled(source, ...packages).then(
        () => 'it compiled',
        (error: unknown) => (error instanceof Error ? error.message : error),
      ),
  };
}

export const esm = packageFiles(
  'esm',
  { type: 'module', exports: './esm.js' },
  { 'esm.js': `export const name = 'esm'; export default 'the default';` },
);
export const cjs = packageFiles(
  'cjs',
  { main: 'lib' },
  { 'lib/index.js': `exports.name = 'cjs'; exports.count = 1; exports.up = () => (exports.count += 1);` },
);
export const babel = packageFiles(
  'babel',
  {},
  {
    'index.js': `Object.defineProperty(exports, '__esModule', { value: true }); exports.default = 'inner'; exports.name = 'babel';`,
  },
);
export const dual = packageFiles(
  '@scope/dual',
  {
    exports: {
      '.': { import: './dual.mjs', require: './dual.cjs' },
      './sub/*': './lib/*.js',
      './package.json': './package.json',
    },
  },
  {
    'dual.mjs': `export const kind = 'import';`,
    'dual.cjs': `exports.kind = 'require';`,
    'lib/a.js': `exports.a = require('../dual.cjs').kind + ' of a';`,
    'lib/hidden.js': '',
  },
);
