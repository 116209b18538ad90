import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, expect, it, vi } from 'vitest';

import { SourceFiles } from '../../../../controller/src/build/sources/source-files.ts';
import { TypeCheck } from '../../../../controller/src/build/type-check.ts';
import { ROOT } from '../../../support/shell.ts';
import { projects } from '../../projects.ts';

const project = projects();
const open: TypeCheck[] = [];

afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(open.splice(0).map(check => check[Symbol.asyncDispose]()));
});

/** Checks files of a modules folder. Returns the positions and codes of the errors. */
function checker(files: Record<string, string>, maxMemoryMb?: number) {
  const modulesDir = project(files);
  const root = join(modulesDir, '..');
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  const typeCheck = new TypeCheck(modulesDir, root, undefined, maxMemoryMb);
  open.push(typeCheck);
  const check = async (...names: string[]): Promise<string[]> => {
    const found = await typeCheck.check(Promise.resolve(names.map(name => join(modulesDir, name))));
    return found.map(({ file, line, column, text }) => `${file}:${line}:${column} ${/TS\d+/.exec(text)?.[0]}`);
  };
  return { typeCheck, check, path: (name: string) => join(modulesDir, name) };
}

it(
  'is strict without a tsconfig.json, and has the types of Node.js and of hot modules',
  { timeout: 30_000 },
  async () => {
    const { check, path } = checker({
      'modules/loose.ts': 'export function f(x) {\n  return x;\n}\n',
      'modules/whole.ts': `
      import { readFileSync } from 'node:fs';
      import { f } from 'hot:right';
      import { deep } from 'hot:folder';
      export const all = f(deep) + readFileSync('/x', 'utf8').length + Number(import.meta.hot.data['x']);
    `,
      'modules/right.ts': 'export const f = (x: number): number => x;\n',
      'modules/folder/index.ts': 'export const deep = 1;\n',
    });
    expect(await check('loose.ts')).toEqual(['modules/loose.ts:1:19 TS7006']);
    expect(await check('whole.ts')).toEqual([]);
    writeFileSync(path('right.ts'), 'export const f = (x: string): number => x.length;\n');
    expect(await check('whole.ts', 'right.ts')).toEqual(['modules/whole.ts:5:28 TS2345']);
    rmSync(path('right.ts'));
    expect(await check('whole.ts')).toEqual(['modules/whole.ts:3:25 TS2307']);
  },
);

it("uses the project's tsconfig.json, with its paths and its declarations", { timeout: 30_000 }, async () => {
  const { check } = checker({
    'modules/demo.ts': `import { word } from '#shared/words';\nexport const all: string = word + VERSION;\n`,
    'shared/words.ts': 'export const word: number = 1;\n',
    'types/global.d.ts': 'declare const VERSION: number;\n',
    'tsconfig.json': JSON.stringify({
      compilerOptions: { strict: true, module: 'preserve', paths: { '#shared/*': ['./shared/*'] } },
      include: ['types'],
    }),
  });
  expect(await check('demo.ts')).toEqual(['modules/demo.ts:2:14 TS2322']);
});

it("follows changes of the modules folder's tsconfig.json", { timeout: 30_000 }, async () => {
  const { check, path } = checker({ 'modules/loose.ts': `export function f(x) {\n  return '日本😀' + x + y;\n}\n` });
  expect(await check('loose.ts')).toEqual(['modules/loose.ts:1:19 TS7006', 'modules/loose.ts:2:23 TS2304']);
  writeFileSync(path('tsconfig.json'), '{ "compilerOptions": { "strict": false, "target": "es2023" } }');
  expect(await check('loose.ts')).toEqual(['modules/loose.ts:2:23 TS2304']);
  writeFileSync(path('tsconfig.json'), '{ "extends": "../nowhere.json" }');
  expect(await check('loose.ts')).toContain('null:0:0 TS5083');
});

it('checks the first module of a folder that was empty, also repeatedly', { timeout: 30_000 }, async () => {
  const { check, path } = checker({ 'modules/first.ts': 'export const f = 1;\n' });
  rmSync(path('first.ts'));
  await check();
  writeFileSync(path('first.ts'), 'export const f: string = 1;\n');
  expect(await check('first.ts')).toEqual(['modules/first.ts:1:14 TS2322']);
  rmSync(path('first.ts'));
  await check();
  writeFileSync(path('first.ts'), 'export const f = 2;\n');
  expect(await check('first.ts')).toEqual([]);
});

it('sees the sources of a snapshot, and later those on the disk', { timeout: 30_000 }, async () => {
  const { typeCheck, check, path } = checker({
    'modules/demo.ts': `import { a } from './a';\nimport { b } from '../lib/b';\nexport const f: [1, 1] = [a, b];\n`,
    'modules/a.ts': 'export const a = 1;\n',
    'lib/b.ts': 'export const b = 1;\n',
  });
  const snapshot = await new SourceFiles(path('.')).take(true);
  expect(snapshot.text(path('../lib/b.ts'))).toBe('export const b = 1;\n');
  rmSync(path('a.ts'));
  writeFileSync(path('../lib/b.ts'), 'export const b = 2;\n');
  expect(await typeCheck.check(Promise.resolve([path('demo.ts')]), snapshot)).toEqual([]);
  expect(await check('demo.ts')).toEqual(['modules/demo.ts:1:19 TS2307', 'modules/demo.ts:3:30 TS2322']);
  writeFileSync(path('a.ts'), 'export const a = 1;\n');
  writeFileSync(path('../lib/b.ts'), 'export const b = 1;\n');
  expect(await check('demo.ts')).toEqual([]);
});

it('sees packages that are installed and removed later, also types alone', { timeout: 30_000 }, async () => {
  const { check, path } = checker({
    'modules/demo.ts': `import { doo } from 'yabba';\nexport const f: string = doo;\n`,
  });
  expect(await check('demo.ts')).toEqual(['modules/demo.ts:1:21 TS2307']);
  const install = (name: string, files: Readonly<Record<string, string>>): void => {
    mkdirSync(path(`node_modules/${name}`), { recursive: true });
    for (const [file, text] of Object.entries(files)) writeFileSync(path(`node_modules/${name}/${file}`), text);
  };
  install('yabba', { 'package.json': '{ "name": "yabba", "version": "1.0.0" }', 'index.js': 'exports.doo = 1;' });
  expect(await check('demo.ts')).toEqual(['modules/demo.ts:1:21 TS7016']);
  install('@types/yabba', { 'index.d.ts': 'export const doo: number;' });
  expect(await check('demo.ts')).toEqual(['modules/demo.ts:2:14 TS2322']);
  rmSync(path('node_modules/yabba'), { recursive: true });
  rmSync(path('node_modules/@types/yabba'), { recursive: true });
  expect(await check('demo.ts')).toEqual(['modules/demo.ts:1:21 TS2307']);
});

it('knows what other files of the folder declare for all, and nothing else of them', { timeout: 30_000 }, async () => {
  const { check, path } = checker({
    'modules/demo.ts': 'export const f: string = yabba + doo;\n',
    'modules/types.d.ts': 'declare const yabba: number;\n',
    'modules/other.ts': 'export const doo = 1;\n',
  });
  expect(await check('demo.ts')).toEqual(['modules/demo.ts:1:34 TS2304']);
  writeFileSync(path('other.ts'), 'export {};\ndeclare global {\n  var doo: number;\n}\n');
  expect(await check('demo.ts')).toEqual(['modules/demo.ts:1:14 TS2322']);
  rmSync(path('types.d.ts'));
  expect(await check('demo.ts')).toEqual(['modules/demo.ts:1:26 TS2304']);
});

it(
  'finds the errors of many files with a process that is ended when it has become too large',
  { timeout: 60_000 },
  async () => {
    const names = Array.from({ length: 20 }, (_, index) => `m${index}.ts`);
    const wrong = 'export const f: string = 1;\n';
    const { check } = checker(Object.fromEntries(names.map(name => [`modules/${name}`, wrong])), 1);
    const processes = (): number => process.getActiveResourcesInfo().filter(name => name === 'ProcessWrap').length;
    expect(await check(...names)).toEqual(names.map(name => `modules/${name}:1:14 TS2322`));
    await expect.poll(processes).toBe(0);
  },
);

it('leaves no temporary folder and no process when it is disposed', { timeout: 30_000 }, async () => {
  const processes = (): number => process.getActiveResourcesInfo().filter(name => name === 'ProcessWrap').length;
  const { typeCheck, check, path } = checker({ 'modules/demo.ts': 'export const f = 1;\n' });
  const temporary = path('..');
  vi.stubEnv('TMPDIR', temporary);
  const folders = (): string[] => readdirSync(temporary).filter(name => name.startsWith('hotcast-types-'));
  expect(await check('demo.ts')).toEqual([]);
  expect(folders()).toHaveLength(1);
  await typeCheck[Symbol.asyncDispose]();
  expect(folders()).toEqual([]);
  await expect.poll(processes).toBe(0);
});
