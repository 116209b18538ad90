import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { watchFolder } from '../../../../../controller/src/build/sources/watch-folder.ts';

let folder: string;
let saved: (string | null)[];
let watching: AsyncDisposable;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hotcast-watch-'));
  writeFileSync(join(folder, 'demo.ts'), '1');
  saved = [];
  watching = await watchFolder(folder, folder, path => saved.push(path));
});

afterEach(async () => {
  await watching[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const write = (path: string, text: string): void => writeFileSync(join(folder, path), text);
const sees = (path: string | null) => expect.poll(() => saved).toContain(path);

describe('watchFolder', () => {
  it('tells of files beside the modules folder, and not which', async () => {
    await watching[Symbol.asyncDispose]();
    mkdirSync(join(folder, 'modules'));
    watching = await watchFolder(folder, join(folder, 'modules'), path => saved.push(path));
    write('modules/demo.ts', '1');
    await sees('demo.ts');
    write('shared.ts', '1');
    await sees(null);
  });

  it('tells of a file that is written, also in a new folder', async () => {
    write('demo.ts', '2');
    await sees('demo.ts');
    mkdirSync(join(folder, 'shop'));
    write('shop/index.ts', '1');
    await sees('shop/index.ts');
  });

  it('tells of a file that an editor saves by renaming another one over it', async () => {
    write('demo.ts~', '2');
    renameSync(join(folder, 'demo.ts~'), join(folder, 'demo.ts'));
    await sees('demo.ts');
  });

  it('tells of a file that is renamed and removed, by both names', async () => {
    renameSync(join(folder, 'demo.ts'), join(folder, 'other.ts'));
    await sees('demo.ts');
    await sees('other.ts');
  });

  it('does not tell of hidden files and of packages', async () => {
    write('.demo.ts.swp', '1');
    mkdirSync(join(folder, 'node_modules'));
    write('node_modules/left.js', '1');
    write('last.ts', '1');
    await sees('last.ts');
    expect(saved.filter(path => path !== 'last.ts')).toEqual([]);
  });
});
