import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { compile } from '../../../../../controller/src/build/compile.ts';
import { availableModules, unreadableModules } from '../../../../../controller/src/build/module-entry.ts';
import { UsageError } from '../../../../../protocol/errors.ts';
import { ROOT } from '../../../../support/shell.ts';
import { projects } from '../../../projects.ts';

const project = projects();
/** What a function says of `shop`, for a user who is not root: root reads everything. */
const SAID = `
import { availableModules, moduleEntry } from '${join(ROOT, 'controller/src/build/module-entry.ts')}';
for (const read of [moduleEntry, availableModules]) {
  try {
    console.log(String(read(process.argv[1], 'shop')));
  } catch (error) {
    console.log(error.name + ' ' + error.message);
  }
}`;

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
    expect(unreadableModules(modules)).toEqual(
      new Map([['odd', { problem: `modules/odd.ts ${problem}`, remedy: 'make it a file that can be read' }]]),
    );
    expect((await compile(modules, 'counter')).bundle.file).toBe('modules/counter/index.ts');
  });

  it('compiles a module that is a link to a file, or to a folder', async () => {
    const modules = project({ 'modules/demo.ts': add, 'elsewhere/index.ts': add });
    symlinkSync('demo.ts', join(modules, 'linked.ts'));
    symlinkSync('../elsewhere', join(modules, 'folder'));
    expect(availableModules(modules)).toEqual(['demo', 'folder', 'linked']);
    for (const module of ['linked', 'folder']) expect((await compile(modules, module)).bundle.exports).toEqual(['add']);
  });

  it.each([
    ['.', 'the folder of the project', 'chmod o+rx . in that folder', null],
    ['modules', 'the folder modules', 'chmod o+rx modules', null],
    ['modules/shop', 'the folder modules/shop', 'chmod o+rx modules/shop', ''],
  ])('in the folder %s, which is closed, names that folder', (closed, name, remedy, available) => {
    const modules = project({ 'modules/shop/index.js': 'exports.x = 1;' });
    const root = dirname(modules);
    for (const folder of [dirname(root), root, modules]) chmodSync(folder, 0o755);
    chmodSync(join(root, closed), 0o700);
    const isRoot = process.getuid?.() === 0;
    if (!isRoot) chmodSync(join(root, closed), 0o000);
    const user = isRoot ? { uid: 1000, gid: 1000 } : {};
    const options = { ...user, encoding: 'utf8', cwd: ROOT } as const;
    const args = ['--import', 'tsx', '--input-type=module', '--eval', SAID, modules];
    const said = execFileSync(process.execPath, args, options).trimEnd().split('\n');
    const who = isRoot ? 1000 : process.getuid?.();
    const problem = `UsageError ${name} can't be read by the controller, whose user is ${who}: let others read it: ${remedy}`;
    expect(said).toEqual(available === null ? [problem, problem] : [problem]);
    chmodSync(join(root, closed), 0o700);
  });
});
