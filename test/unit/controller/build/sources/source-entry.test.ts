import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { compile } from '../../../../../controller/src/build/compile.ts';
import { availableModules, unreadableModules } from '../../../../../controller/src/build/module-entry.ts';
import { UsageError } from '../../../../../protocol/errors.ts';
import { projects } from '../../../projects.ts';

const project = projects();
const add = 'export const add = (x: number, y: number): number => x + y;';

describe('an entry of the modules folder', () => {
  it.each<[string, (path: string) => unknown, string]>([
    ['a link to nothing', path => symlinkSync('nowhere.ts', path), 'is a link to nothing'],
    ['a link to itself', path => symlinkSync(basename(path), path), 'is a link to itself'],
    ['a folder', path => mkdirSync(path), 'is a folder'],
    // To read it would wait for its writer.
    ['a named pipe', path => execFileSync('mkfifo', [path]), 'is a named pipe'],
  ])('names %s in the place of a source, and other modules compile', async (_, make, problem) => {
    const modules = project({ 'modules/demo.ts': add, 'modules/counter/index.ts': add });
    make(join(modules, 'odd.ts'));
    make(join(modules, 'counter.ts'));
    await expect(compile(modules, 'odd')).rejects.toThrow(
      new UsageError(`modules/odd.ts ${problem}: make it a file that can be read`),
    );
    expect(availableModules(modules)).toEqual(['counter', 'demo']);
    expect(unreadableModules(modules)).toEqual(new Map([['odd', `modules/odd.ts ${problem}`]]));
    expect((await compile(modules, 'counter')).bundle.file).toBe('modules/counter/index.ts');
  });

  it('compiles a module that is a link to a file, or to a folder', async () => {
    const modules = project({ 'modules/demo.ts': add, 'elsewhere/index.ts': add });
    symlinkSync('demo.ts', join(modules, 'linked.ts'));
    symlinkSync('../elsewhere', join(modules, 'folder'));
    expect(availableModules(modules)).toEqual(['demo', 'folder', 'linked']);
    for (const module of ['linked', 'folder']) expect((await compile(modules, module)).bundle.exports).toEqual(['add']);
  });
});
