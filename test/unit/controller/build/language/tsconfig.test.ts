import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { compile } from '../../../../../controller/src/build/compile.ts';
import { SourceFiles } from '../../../../../controller/src/build/sources/source-files.ts';
import { UsageError } from '../../../../../protocol/errors.ts';
import { projects } from '../../../projects.ts';

const project = projects();
const demo = 'export class A { x: unknown; }';

describe('a tsconfig.json', () => {
  it('and those that it extends belong to the sources of every module', async () => {
    const modules = project({
      'modules/demo.ts': demo,
      'modules/tsconfig.json': '{ "extends": "../base.json" }',
      'base.json': '{ "compilerOptions": { "target": "es2024" } }',
    });
    const files = new SourceFiles(modules);
    const before = await compile(modules, 'demo', await files.take(true));
    expect(Object.keys(before.sources)).toEqual(['modules/demo.ts', 'base.json', 'modules/tsconfig.json']);
    writeFileSync(join(modules, '../base.json'), '{ "compilerOptions": { "target": "es2020" } }');
    expect(files.changedAmong(before.sources)).toEqual(['base.json']);
    const after = await compile(modules, 'demo', await files.take(true));
    expect(after.bundle.revision).not.toBe(before.bundle.revision);
  });

  it('is that of one moment', async () => {
    const modules = project({ 'modules/demo.ts': demo, 'modules/tsconfig.json': '{}' });
    const snapshot = await new SourceFiles(modules).take(true);
    const { bundle } = await compile(modules, 'demo', snapshot);
    writeFileSync(join(modules, 'tsconfig.json'), '{ "compilerOptions": { "target": "es2020" } }');
    expect((await compile(modules, 'demo', snapshot)).bundle.revision).toBe(bundle.revision);
    expect(snapshot.isOutdated()).toBe(true);
    rmSync(join(modules, 'tsconfig.json'));
  });

  it('is found in a folder above node_modules, and compiles the same in every folder', async () => {
    const files = {
      'modules/demo.ts': `export { f } from '@/a';`,
      'modules/lib/a.ts': 'export const f = () => 1;',
      'modules/tsconfig.json': '{ "compilerOptions": { "paths": { "@/*": ["${configDir}/lib/*"] } } }',
    };
    const [one, two] = await Promise.all([1, 2].map(() => compile(project(files), 'demo')));
    expect(one?.bundle).toEqual(two?.bundle);
  });

  it.each([
    [
      '{ "extends": "../nowhere.json" }',
      'modules/tsconfig.json extends ../nowhere.json, which was not found: write it, or remove "extends"; nothing was sent',
    ],
    [
      '{ "extends": "@tsconfig/none" }',
      'modules/tsconfig.json extends @tsconfig/none, which was not found: install the package in modules, or remove "extends"; nothing was sent',
    ],
    ['{ "extends": "./tsconfig.json" }', 'modules/tsconfig.json extends itself; nothing was sent'],
    ['{ "extends": }', 'modules/tsconfig.json is no JSON object; nothing was sent'],
    ['[]', 'modules/tsconfig.json is no JSON object; nothing was sent'],
  ])('%s is refused with one line', async (text, message) => {
    const modules = project({ 'modules/demo.ts': demo, 'modules/tsconfig.json': text });
    await expect(compile(modules, 'demo')).rejects.toThrow(new UsageError(message));
  });
});
