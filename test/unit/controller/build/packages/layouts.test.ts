import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { compile } from '../../../../../controller/src/build/compile.ts';
import { cjs, esm, type Files, packageFiles, packageProjects } from './fixture.ts';
import { PackageNode } from './package-node.ts';

const { project } = packageProjects();

/** Compiles the module `demo` of a project with links. Returns its packages, and what it exports as `value`, on a node. */
async function tried(files: Files, links: Readonly<Record<string, string>>) {
  const modules = project(files);
  for (const [path, target] of Object.entries(links)) {
    const link = join(dirname(modules), path);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(target, link);
  }
  const made = await compile(modules, 'demo');
  const node = new PackageNode();
  onTestFinished(() => node[Symbol.dispose]());
  const { value } = await node.load(made);
  return { value, versions: made.packages?.manifest.versions ?? {}, code: made.bundle.code };
}

const inFolder = (folder: string, files: Files): Files =>
  Object.fromEntries(Object.entries(files).map(([path, text]) => [`${folder}/${path}`, text]));

describe('packages are found and sent', () => {
  const demo = { 'modules/demo.ts': `import { name } from 'esm'; export const value = name;` };

  it('in a node_modules that is a link', async () => {
    const { value, versions, code } = await tried(
      { ...demo, ...inFolder('elsewhere', esm) },
      { 'modules/node_modules': '../elsewhere/node_modules' },
    );
    expect([value, versions]).toEqual(['esm', { esm: '1.0.0' }]);
    expect(code).not.toContain('the default');
  });

  it('in a scope that is a link', async () => {
    const scoped = packageFiles('@acme/one', {}, { 'index.js': `exports.name = 'one';` }, 'elsewhere/');
    const { value, versions } = await tried(
      { 'modules/demo.ts': `import { name } from '@acme/one'; export const value = name;`, ...scoped },
      { 'node_modules/@acme': '../elsewhere/node_modules/@acme' },
    );
    expect([value, versions]).toEqual(['one', { '@acme/one': '1.0.0' }]);
  });

  it('as pnpm installs them, for the project and for a folder of its workspace', async () => {
    const user = packageFiles(
      'user',
      { dependencies: { cjs: '*' } },
      { 'index.js': `exports.name = 'user of ' + require('cjs').name;` },
    );
    const store = 'node_modules/.pnpm';
    const source = `import { name } from 'esm'; import { name as user } from 'user'; export const value = [name, user];`;
    const { value, versions, code } = await tried(
      {
        'modules/demo.ts': source,
        ...inFolder(`${store}/esm@1.0.0`, esm),
        ...inFolder(`${store}/cjs@1.0.0`, cjs),
        ...inFolder(`${store}/user@1.0.0`, user),
      },
      {
        'node_modules/esm': '.pnpm/esm@1.0.0/node_modules/esm',
        'modules/node_modules/user': `../../${store}/user@1.0.0/node_modules/user`,
        [`${store}/user@1.0.0/node_modules/cjs`]: '../../cjs@1.0.0/node_modules/cjs',
      },
    );
    expect([value, versions]).toEqual([['esm', 'user of cjs'], { esm: '1.0.0', user: '1.0.0' }]);
    expect(code).not.toContain('user of');
  });

  it('as npm hoists them, while a workspace package is bundled with what it finds itself', async () => {
    const newer = packageFiles('cjs', { version: '2.0.0' }, { 'index.js': `exports.name = 'newer';` }, 'packages/lib/');
    const { value, versions, code } = await tried(
      {
        'modules/demo.ts': `import { all } from '@acme/lib'; import { name } from 'cjs'; export const value = [name, ...all];`,
        'packages/lib/package.json': JSON.stringify({ name: '@acme/lib', type: 'module', exports: './src/index.ts' }),
        'packages/lib/src/index.ts': `import { name as own } from 'cjs';
          import { name as hoisted } from 'esm';
          import { shared } from '../../../shared/words.ts';
          export const all: string[] = [own, hoisted, shared];`,
        'shared/words.ts': `export const shared = 'beside the modules';`,
        ...esm,
        ...cjs,
        ...newer,
      },
      { 'node_modules/@acme/lib': '../../packages/lib' },
    );
    expect(value).toEqual(['cjs', 'newer', 'esm', 'beside the modules']);
    expect(Object.values(versions).toSorted()).toEqual(['1.0.0', '1.0.0', '2.0.0']);
    expect(code).toContain('beside the modules');
  });
});
