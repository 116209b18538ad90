import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it, vi } from 'vitest';

import { compile } from '../../../../../controller/src/build/compile.ts';
import { SourceFiles } from '../../../../../controller/src/build/sources/source-files.ts';
import { projects } from '../../../projects.ts';

const project = projects();

/** A modules folder with these files, and a function that takes a snapshot of it. */
function sourcesOf(files: Record<string, string>) {
  const folder = project(files);
  const sources = new SourceFiles(folder);
  return { folder, path: (name: string) => join(folder, name), take: (isListed = true) => sources.take(isListed) };
}

describe('a snapshot', () => {
  it('has each file as it was, when files are written, removed and created later', async () => {
    const { path, take } = sourcesOf({ 'modules/a.ts': 'a', 'modules/b.ts': 'b' });
    const snapshot = await take();
    writeFileSync(path('a.ts'), 'A');
    rmSync(path('b.ts'));
    writeFileSync(path('c.ts'), 'c');
    const read = (one: typeof snapshot): (string | null)[] =>
      ['a.ts', 'b.ts', 'c.ts'].map(name => one.text(path(name)));
    expect(read(snapshot)).toEqual(['a', 'b', null]);
    expect(read(await take())).toEqual(['A', null, 'c']);
  });

  it('reads a file that was not taken once', async () => {
    const { path, take } = sourcesOf({ 'modules/a.ts': 'a', 'other.txt': 'x' });
    for (const snapshot of [await take(), await take(false)]) {
      writeFileSync(path('../other.txt'), 'x');
      expect([snapshot.text(path('../other.txt')), snapshot.text(path('missing.txt'))]).toEqual(['x', null]);
      writeFileSync(path('../other.txt'), 'y');
      writeFileSync(path('missing.txt'), 'y');
      expect([snapshot.text(path('../other.txt')), snapshot.text(path('missing.txt'))]).toEqual(['x', null]);
      rmSync(path('missing.txt'));
    }
  });

  it('has the same contents for a file and a link to it', async () => {
    const { path, take } = sourcesOf({ 'modules/a.ts': 'a', 'elsewhere/b.ts': 'b' });
    symlinkSync('../elsewhere/b.ts', path('link.ts'));
    const snapshot = await take();
    writeFileSync(path('../elsewhere/b.ts'), 'B');
    expect([snapshot.text(path('link.ts')), snapshot.text(path('../elsewhere/b.ts'))]).toEqual(['b', 'b']);
  });

  it('sees a write that leaves the size and the times of a file', async () => {
    const { path, take } = sourcesOf({ 'modules/a.ts': 'a' });
    const write = (text: string): void => {
      writeFileSync(path('a.ts'), text);
      utimesSync(path('a.ts'), 1, 1);
    };
    write('1');
    await take();
    write('2');
    expect((await take()).text(path('a.ts'))).toBe('2');
  });

  it('waits for the end of a save', async () => {
    const { path, take } = sourcesOf({ 'modules/a.ts': 'whole' });
    writeFileSync(path('a.ts'), '');
    // However long this process stands still, the file was written just now.
    const clock = vi.spyOn(Date, 'now').mockReturnValue(statSync(path('a.ts')).mtimeMs);
    const taking = take();
    writeFileSync(path('a.ts'), 'whole');
    clock.mockRestore();
    expect((await taking).text(path('a.ts'))).toBe('whole');
  });

  it('leaves out links that lead nowhere or to themselves, pipes, packages, and what is no folder', async () => {
    const { folder, path, take } = sourcesOf({ 'modules/demo.ts': '', 'modules/node_modules/x/x.ts': '' });
    symlinkSync('loop.ts', path('loop.ts'));
    symlinkSync('missing', path('dangling.ts'));
    mkdirSync(path('folder.ts'));
    execFileSync('mkfifo', [path('pipe.ts')]);
    expect((await take()).paths).toEqual([join(folder, 'demo.ts')]);
    expect((await new SourceFiles(path('demo.ts')).take(true)).paths).toEqual([]);
  });
});

describe('a snapshot is outdated', () => {
  it.each<[string, (path: (name: string) => string) => void]>([
    ['a file is written', path => writeFileSync(path('a.ts'), 'b')],
    [
      'a file is written and has its size and times again',
      path => (writeFileSync(path('a.ts'), 'b'), utimesSync(path('a.ts'), 1, 1)),
    ],
    ['a file is removed', path => rmSync(path('a.ts'))],
    ['a file is created', path => writeFileSync(path('lib/c.ts'), '')],
    ['a file is renamed', path => renameSync(path('lib/b.ts'), path('lib/c.ts'))],
  ])('when %s', async (_, change) => {
    const { path, take } = sourcesOf({ 'modules/a.ts': 'a', 'modules/lib/b.ts': 'b' });
    utimesSync(path('a.ts'), 1, 1);
    const snapshot = await take();
    await expect.poll(() => snapshot.isOutdated()).toBe(false);
    change(path);
    expect(snapshot.isOutdated()).toBe(true);
    expect(await snapshot.isConsistent()).toBe(true);
  });

  it('while its files have just been saved: others that belong to them can follow', async () => {
    const { path, take } = sourcesOf({ 'modules/a.ts': 'a' });
    writeFileSync(path('a.ts'), 'b');
    const snapshot = await take();
    const clock = vi.spyOn(Date, 'now').mockReturnValue(statSync(path('a.ts')).mtimeMs + 50);
    expect(snapshot.isOutdated()).toBe(true);
    clock.mockRestore();
  });
});

describe('changedAmong', () => {
  it('names the sources that have another content or are gone, and not those that were only saved', async () => {
    const { folder, path } = sourcesOf({
      'modules/demo.ts': 'd',
      'modules/a.ts': 'a',
      'modules/b.ts': 'b',
      'c.ts': 'c',
    });
    const sources = new SourceFiles(folder);
    const hashes = Object.fromEntries(
      ['modules/demo.ts', 'modules/a.ts', 'modules/b.ts', 'c.ts'].map(name => [
        name,
        hash('sha256', readFileSync(path(`../${name}`))).slice(0, 12),
      ]),
    );
    expect(sources.changedAmong(hashes)).toEqual([]);
    writeFileSync(path('demo.ts'), 'd');
    writeFileSync(path('a.ts'), 'A');
    rmSync(path('b.ts'));
    writeFileSync(path('../c.ts'), 'C');
    expect(sources.changedAmong(hashes)).toEqual(['modules/a.ts', 'modules/b.ts', 'c.ts']);
  });
});

describe('compile', () => {
  it('uses the sources of its snapshot for each file, also for export * of a hot import', async () => {
    const { folder, path, take } = sourcesOf({
      'modules/demo.ts': `export * from 'hot:core'; export * from './lib/own';`,
      'modules/core.ts': 'export const before = 1;',
      'modules/lib/own.ts': 'export const own = 1;',
    });
    const snapshot = await take();
    writeFileSync(path('core.ts'), 'export const after = 1;');
    writeFileSync(path('lib/own.ts'), 'export const changed = 1;');
    const { bundle } = await compile(folder, 'demo', snapshot);
    expect(bundle.exports.toSorted()).toEqual(['before', 'own']);
  });

  it('does not see a file that came later', async () => {
    const { folder, path, take } = sourcesOf({
      'modules/demo.ts': `export * from './lib/more';`,
      'modules/lib/own.ts': '',
    });
    const snapshot = await take();
    writeFileSync(path('lib/more.ts'), 'export const more = 1;');
    await expect(compile(folder, 'demo', snapshot)).rejects.toThrow(
      'modules/demo.ts:1:15: Could not read modules/lib/more.ts: it is missing, not readable or no regular file',
    );
  });

  it.each([
    ['a pipe', 'Could not read modules/odd.ts', (path: string) => execFileSync('mkfifo', [path])],
    ['a link that leads nowhere', 'Could not resolve "./odd"', (path: string) => symlinkSync('missing', path)],
    ['a link to itself', 'Could not resolve "./odd"', (path: string) => symlinkSync('odd.ts', path)],
    ['a folder', 'Could not resolve "./odd"', (path: string) => mkdirSync(path)],
  ])('names %s that a module imports, and compiles modules beside it', async (_, message, make) => {
    const { folder, path } = sourcesOf({
      'modules/demo.ts': `export * from './odd';`,
      'modules/other.ts': 'export const f = 1;',
    });
    make(path('odd.ts'));
    await expect(compile(folder, 'demo')).rejects.toThrow(`modules/demo.ts:1:15: ${message}`);
    expect((await compile(folder, 'other')).bundle.exports).toEqual(['f']);
  });
});
