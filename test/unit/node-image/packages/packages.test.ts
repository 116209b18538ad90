import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { packageNodes, readySet } from './package-nodes.ts';
import { bundleWith, esModule, FixtureStream } from './package-set.ts';

const nodes = packageNodes();

const TWO = {
  a: { files: { 'index.js': `exports.b = require('b');` }, dependencies: ['b'] },
  b: { files: { 'index.js': `exports.evaluated = {};` } },
};

describe('prepare', () => {
  it('does nothing for a bundle without packages', async () => {
    const { packages, folder } = nodes.node();
    const { packages: _, ...bundle } = bundleWith('a'.repeat(64));
    expect(await packages.prepare(bundle, new FixtureStream())).toEqual({ status: 'ready', set: null });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('fetches what the node lacks, once, and shares it between sets', async () => {
    const { packages } = nodes.node();
    const stream = new FixtureStream();
    const first = stream.add(TWO);
    const second = stream.add({ ...TWO, c: { files: { 'index.js': '' } } });
    const one = await readySet(packages, stream, bundleWith(first));
    const two = await readySet(packages, stream, bundleWith(second));
    expect(stream.reads.toSorted()).toEqual(['a', 'b', 'c', 'set', 'set']);
    expect(two.requireFor('two')('b')).toBe(one.requireFor('one')('b'));
    await readySet(packages, stream, bundleWith(second));
    expect(stream.reads).toHaveLength(5);
  });

  it('finds after a restart what is on disk, without the stream', async () => {
    const { packages, folder } = nodes.node();
    const stream = new FixtureStream();
    const hash = stream.add(TWO);
    await readySet(packages, stream, bundleWith(hash));
    // What a process has left that ended while it wrote.
    mkdirSync(join(folder, 'temporary', '7', 'node_modules'), { recursive: true });
    const again = nodes.node(folder);
    const set = await readySet(
      again.packages,
      { packageSet: async () => null, archive: async () => null },
      bundleWith(hash),
    );
    expect(set.requireFor('demo')('a')).toEqual({ b: { evaluated: {} } });
    expect(readdirSync(join(folder, 'temporary'))).toEqual([]);
  });

  it('fetches an archive again that is not on disk', async () => {
    const { packages, folder } = nodes.node();
    const stream = new FixtureStream();
    const hash = stream.add(TWO);
    await readySet(packages, stream, bundleWith(hash));
    for (const name of readdirSync(join(folder, 'archives'))) rmSync(join(folder, 'archives', name));
    stream.reads.length = 0;
    await readySet(nodes.node(folder).packages, stream, bundleWith(hash));
    expect(stream.reads.toSorted()).toEqual(['a', 'b']);
  });

  it('fetches again what a power cut has cut off on disk', async () => {
    const stream = new FixtureStream();
    const hash = stream.add({ one: { files: { 'index.js': 'exports.one = 1;' } } });
    for (const kind of ['archives', 'sets'] as const) {
      for (const share of [0, 0.5, 0.99]) {
        const { folder, packages } = nodes.node();
        await readySet(packages, stream, bundleWith(hash));
        for (const name of readdirSync(join(folder, kind))) {
          const file = join(folder, kind, name);
          truncateSync(file, Math.floor(statSync(file).size * share));
        }
        const restarted = nodes.node(folder);
        const set = await readySet(restarted.packages, stream, bundleWith(hash));
        expect(set.requireFor('demo')('one'), `${kind} at ${share}`).toEqual({ one: 1 });
      }
    }
  });

  it('evaluates what the code requires, and nothing else', async () => {
    const { packages } = nodes.node();
    const stream = new FixtureStream();
    Object.assign(globalThis, { ran: [] });
    const mark = (name: string) => ({ files: { 'index.js': `globalThis.ran.push('${name}');` } });
    const hash = stream.add({ a: mark('a'), b: mark('b'), c: mark('c'), d: mark('d') });
    const code = `require.import("a"); const b = __toESM(require("npm:b")); require("c"); require("fs"); require("hot:x", ["y"]);`;
    await readySet(packages, stream, bundleWith(hash, code));
    expect(Reflect.get(globalThis, 'ran')).toEqual(['a', 'b', 'c']);
    Reflect.deleteProperty(globalThis, 'ran');
  });

  it('evaluates the file that an import gets, not that of a require', async () => {
    const { packages } = nodes.node();
    const stream = new FixtureStream();
    Object.assign(globalThis, { ran: [] });
    const exports = { import: './esm.mjs', require: './cjs.cjs' };
    const files = { 'esm.mjs': '', 'cjs.cjs': `globalThis.ran.push('cjs');` };
    const converted = { 'esm.mjs': esModule({}, `globalThis.ran.push('esm');`) };
    const hash = stream.add({ dual: { manifest: { exports }, files, converted } });
    await readySet(packages, stream, bundleWith(hash, 'require.import("dual"); require("npm:dual");'));
    expect(Reflect.get(globalThis, 'ran')).toEqual(['esm']);
    Reflect.deleteProperty(globalThis, 'ran');
  });

  it('names the package that throws, and leaves to the module what it can try to require', async () => {
    const { packages } = nodes.node();
    const stream = new FixtureStream();
    const hash = stream.add({
      a: { files: { 'index.js': `require('b');` }, dependencies: ['b'] },
      b: { version: '2.1.0', files: { 'index.js': `throw new TypeError('no key');` } },
    });
    expect(await packages.prepare(bundleWith(hash, 'require.import("a")'), stream)).toMatchObject({
      status: 'failed',
      reason: 'on_load_failure',
      detail: expect.stringContaining('the package b@2.1.0 threw while it was loaded: TypeError: no key') as string,
    });
    expect(await packages.prepare(bundleWith(hash, 'require("a"); require("gone")'), stream)).toMatchObject({
      status: 'ready',
    });
  });

  it('refuses a set that the stream lacks, one without its archives, and one with another hash', async () => {
    const { packages } = nodes.node();
    const stream = new FixtureStream();
    const hash = stream.add(TWO);
    stream.archives.clear();
    const other = 'a'.repeat(64);
    expect(await packages.prepare(bundleWith(other), stream)).toMatchObject({ reason: 'nofile' });
    expect(await packages.prepare(bundleWith(hash), stream)).toMatchObject({ reason: 'nofile' });
    stream.sets.set(other, stream.sets.get(hash) ?? Buffer.alloc(0));
    expect(await packages.prepare(bundleWith(other), stream)).toMatchObject({ reason: 'badfile' });
    expect(packages.has(bundleWith(hash))).toBe(false);
  });

  it('refuses when the disk can not be written', async () => {
    const stream = new FixtureStream();
    const { folder } = nodes.node();
    writeFileSync(join(folder, 'file'), '');
    const { packages } = nodes.node(join(folder, 'file'));
    expect(await packages.prepare(bundleWith(stream.add(TWO)), stream)).toMatchObject({ reason: 'system_limit' });
  });

  it('passes on an error of the stream, and tries again at the next time', async () => {
    const { packages } = nodes.node();
    const stream = new FixtureStream();
    const bundle = bundleWith(stream.add(TWO));
    const broken = { packageSet: stream.packageSet, archive: async () => Promise.reject(new Error('no route')) };
    await expect(packages.prepare(bundle, broken)).rejects.toThrow('no route');
    expect(await packages.prepare(bundle, stream)).toMatchObject({ status: 'ready' });
  });
});

describe('the files of a package', () => {
  const placesIn = (folder: string): string[] =>
    readdirSync(join(folder, 'instances')).map(id => readdirSync(join(folder, 'instances', id, 'node_modules')).join());

  it('lie in a folder when its code can tell where it is, with what it reaches', async () => {
    const { folder } = await nodes.requireOf({
      a: { files: { 'index.js': `exports.at = () => __dirname;` }, dependencies: ['b'] },
      b: { files: { 'index.js': `` } },
      c: { files: { 'index.js': `exports.c = require('a').at;` }, dependencies: ['a'] },
      d: { files: { 'readme.txt': '__dirname', 'index.js': '' } },
      e: { files: { 'index.js': '' }, converted: { 'index.js': esModule({ url: '__hotcast_meta.url' }) } },
    });
    expect(placesIn(folder).toSorted()).toEqual(['a,b', 'b', 'e']);
    expect(readdirSync(join(folder, 'archives'))).toHaveLength(5);
  });

  it('lie in a folder as soon as other code resolves one of them', async () => {
    const { require, folder } = await nodes.requireOf(TWO);
    expect(require('a')).toMatchObject({ b: { evaluated: {} } });
    expect(placesIn(folder)).toEqual([]);
    expect(readFileSync(require.resolve('a'), 'utf8')).toContain('exports.b');
    expect(placesIn(folder).toSorted()).toEqual(['a,b', 'b']);
  });

  it('lie there again after a restart that came before they were written', async () => {
    const placed = { a: { files: { 'index.js': `exports.at = __filename;` } } };
    const { packages, folder } = nodes.node();
    const stream = new FixtureStream();
    const bundle = bundleWith(stream.add(placed));
    await readySet(packages, stream, bundle);
    rmSync(join(folder, 'instances'), { recursive: true });
    const { requireFor } = await readySet(nodes.node(folder).packages, stream, bundle);
    const { at } = requireFor('demo')('a') as { at: string };
    expect(readFileSync(at, 'utf8')).toContain('exports.at');
  });
});

describe('a package that requires what it does not declare', () => {
  it('finds what the module finds', async () => {
    const { require } = await nodes.requireOf({
      plugin: { files: { 'index.js': `exports.host = require('host');` } },
      host: { files: { 'index.js': `exports.name = 'host';` } },
    });
    expect(require('plugin')).toEqual({ host: { name: 'host' } });
  });

  it('gets an error with the code of Node.js when the module finds none either', async () => {
    const { require } = await nodes.requireOf(
      {
        plugin: { files: { 'index.js': `try { require('host'); } catch (error) { exports.error = error; }` } },
        host: { files: {} },
      },
      ['plugin'],
    );
    const { error } = require('plugin') as { error: Error };
    expect(error).toMatchObject({ code: 'MODULE_NOT_FOUND' });
    expect(error.message).toMatch(/^Cannot find package 'host' required from \/.*\/node_modules\/plugin\/index\.js$/);
  });
});

describe('collect', () => {
  it('removes from memory and disk what no set in use has, and keeps the rest', async () => {
    const { packages, folder } = nodes.node();
    const stream = new FixtureStream();
    const old = stream.add({ ...TWO, c: { files: { 'index.js': 'exports.timer = setInterval(() => {}, 1000);' } } });
    const current = stream.add(TWO);
    const set = await readySet(packages, stream, bundleWith(old));
    const { timer } = set.requireFor('old')('c') as { timer: NodeJS.Timeout };
    const b = set.requireFor('old')('b');
    await readySet(packages, stream, bundleWith(current));
    await packages.collect(() => new Set([current]));
    expect([readdirSync(join(folder, 'sets')), readdirSync(join(folder, 'archives')).length]).toEqual([[current], 2]);
    // What a package has started ends with it.
    expect(Reflect.get(timer, '_destroyed')).toBe(true);
    expect((await readySet(packages, stream, bundleWith(current))).requireFor('demo')('b')).toBe(b);
    await packages.collect(() => new Set());
    expect(['sets', 'archives', 'instances', 'temporary'].flatMap(name => readdirSync(join(folder, name)))).toEqual([]);
    expect(existsSync(folder)).toBe(true);
    expect((await readySet(packages, stream, bundleWith(old))).requireFor('demo')('b')).not.toBe(b);
  });
});

describe('a package of which two versions are used', () => {
  it('runs beside itself, each for who uses it', async () => {
    const { packages } = nodes.node();
    const stream = new FixtureStream();
    const zod = (version: string) => ({
      zod: {
        version,
        files: {},
        converted: { 'index.js': esModule({ version: `"${version}"` }) },
        manifest: { type: 'module' },
      },
    });
    const withIndex = (version: string) => ({
      zod: { ...zod(version).zod, files: { 'index.js': `export const version = '${version}';` } },
    });
    const [three, four] = [stream.add(withIndex('3.0.0')), stream.add(withIndex('4.0.0'))];
    const versions = [];
    for (const hash of [three, four, three]) {
      versions.push((await readySet(packages, stream, bundleWith(hash))).requireFor('demo')('zod'));
    }
    expect(versions.map(each => (each as { version: string }).version)).toEqual(['3.0.0', '4.0.0', '3.0.0']);
  });
});
