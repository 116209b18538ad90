import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { packageNodes, readySet } from './package-nodes.ts';
import { bundleWith, FixtureStream, type Installed } from './package-set.ts';

const nodes = packageNodes();

/** A node whose image has `native`, and a stream with a set that needs it. */
function start(files: Readonly<Record<string, string>>, installed: Installed = {}, json: object = {}) {
  const node = nodes.node();
  const all = { 'package.json': JSON.stringify({ name: 'native', version: '3.1.0', ...json }), ...files };
  for (const [path, text] of Object.entries(all)) {
    const file = join(node.externalDir, 'node_modules/native', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const stream = new FixtureStream();
  const add = (version: string, name = 'native') => stream.add(installed, undefined, { [name]: version });
  return { ...node, stream, add };
}

const NATIVE = {
  'index.js': `exports.name = 'native'; exports.file = __filename;`,
  'lib/sub.js': `exports.name = 'sub';`,
};

describe('an external package', () => {
  it("is that of the node's image, for modules and for packages, also where they do not declare it", async () => {
    const user = { files: { 'index.js': `exports.name = () => require('native').name;` } };
    const { packages, stream, add, externalDir } = start(NATIVE, { user });
    const { requireFor } = await readySet(packages, stream, bundleWith(add('3.1.0')));
    const require = requireFor('demo');
    expect(require('native')).toEqual({ name: 'native', file: join(externalDir, 'node_modules/native/index.js') });
    expect(require('npm:native')).toBe(require('native'));
    expect(require.import('native')).toMatchObject({ name: 'native', default: { name: 'native' } });
    expect(require('native/lib/sub')).toEqual({ name: 'sub' });
    expect((require('user') as { name: () => string }).name()).toBe('native');
  });

  it('has the file that its exports have for an import, and for a require', async () => {
    const exports = { '.': { import: './it.mjs', require: './it.cjs' } };
    const files = {
      'it.mjs': `export const kind = 'import'; export default 1;`,
      'it.cjs': `exports.kind = 'require';`,
    };
    const { packages, stream, add } = start(files, {}, { exports });
    const require = (await readySet(packages, stream, bundleWith(add('3.1.0')))).requireFor('demo');
    expect(require.import('native')).toMatchObject({ kind: 'import', default: 1 });
    expect(require('native')).toEqual({ kind: 'require' });
  });

  it("is found by Node's own loader from the files of packages, as in a worker thread", async () => {
    const { packages, stream, add } = start(NATIVE, { user: { files: { 'index.js': 'exports.file = __filename;' } } });
    const { requireFor } = await readySet(packages, stream, bundleWith(add('3.1.0')));
    const { file } = requireFor('demo')('user') as { file: string };
    expect(createRequire(file)('native')).toMatchObject({ name: 'native' });
  });

  it('makes a bundle refused by name where the image lacks it or has another version', async () => {
    const { packages, stream, add } = start(NATIVE);
    const prepare = async (hash: string) => packages.prepare(bundleWith(hash), stream);
    expect(await prepare(add('3.2.0'))).toEqual({
      status: 'failed',
      reason: 'nofile',
      detail:
        'the image of the node has native 3.1.0, not 3.2.0: add native@3.2.0 to NODE_PACKAGES in .env, and build and start ' +
        'the nodes again',
    });
    expect(await prepare(add('1.0.0', '@img/gone'))).toMatchObject({
      detail: expect.stringMatching(
        /^the image of the node lacks @img\/gone 1\.0\.0: add @img\/gone@1\.0\.0 to/,
      ) as string,
    });
    expect(await prepare(add('3.1.0'))).toMatchObject({ status: 'ready' });
  });

  it('makes a bundle refused that it throws for, by name', async () => {
    const { packages, stream, add } = start({ 'index.js': `throw new Error('no GLIBC_9');` });
    expect(await packages.prepare(bundleWith(add('3.1.0'), 'require.import("native")'), stream)).toMatchObject({
      reason: 'on_load_failure',
      detail: expect.stringContaining('the package native threw while it was loaded: Error: no GLIBC_9') as string,
    });
  });

  it('is not there for a module that does not name it', async () => {
    const { packages, stream } = start(NATIVE, { user: { files: { 'index.js': '' } } });
    const hash = stream.add({ user: { files: { 'index.js': '' } } });
    const { requireFor } = await readySet(packages, stream, bundleWith(hash));
    expect(() => requireFor('demo')('native')).toThrow("Cannot find package 'native'");
  });
});
