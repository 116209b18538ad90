import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';

import { describe, expect, it } from 'vitest';

import { packageNodes } from './package-nodes.ts';
import { esModule } from './package-set.ts';

const { requireOf } = packageNodes();

const cjs = (text: string) => ({ files: { 'index.js': text } });
const esm = (exported: Readonly<Record<string, string>>, body = '') => ({
  manifest: { type: 'module', exports: './index.js' },
  files: { 'index.js': 'export default 0;' },
  converted: { 'index.js': esModule(exported, body) },
});

describe('a file of a package', () => {
  it('is evaluated once, whoever requires it and how', async () => {
    const { require } = await requireOf({
      a: { ...cjs(`exports.b = require('b');`), dependencies: ['b'] },
      b: cjs(`exports.made = {};`),
    });
    const b = require('b') as { made: object };
    expect((require('a') as { b: object }).b).toBe(b);
    expect(require('npm:b')).toBe(b);
    expect((require.import('b') as { made: object }).made).toBe(b.made);
  });

  it('has the variables of a CommonJS module, and files beside it', async () => {
    const { require, folder } = await requireOf({
      a: {
        files: {
          'index.js': `exports.text = require('fs').readFileSync(require('path').join(__dirname, 'data', 'a.txt'), 'utf8');
            exports.filename = __filename; exports.self = module.exports === exports && module.filename === __filename;
            exports.isMain = require.main === module; exports.hasParent = !!module.parent; exports.isThis = this === exports;`,
          'data/a.txt': 'from a file',
        },
      },
    });
    const a = require('a') as { filename: string };
    expect(a).toMatchObject({ text: 'from a file', self: true, isMain: false, hasParent: true, isThis: true });
    expect(a.filename.startsWith(join(folder, 'instances'))).toBe(true);
    expect(readFileSync(a.filename, 'utf8')).toContain('exports.filename');
  });

  it('can declare variables with the names of globals, begin with #! and end in a comment', async () => {
    const { require } = await requireOf({
      a: cjs(
        `#!/usr/bin/env node\nconst process = 'mine'; let setTimeout = 'too'; exports.all = [process, setTimeout]; // end`,
      ),
    });
    expect(require('a')).toEqual({ all: ['mine', 'too'] });
  });

  it('is named in stacks by its true path, with its lines', async () => {
    const { require, folder } = await requireOf({ a: cjs(`exports.fail = () => {\n  throw new Error('no');\n};`) });
    const { fail } = require('a') as { fail: () => void };
    let stack = '';
    try {
      fail();
    } catch (error) {
      stack = (error as Error).stack ?? '';
    }
    expect(stack.split('\n')[1]).toMatch(new RegExp(`${folder}/instances/[0-9a-f]{64}/node_modules/a/index\\.js:2:9`));
  });

  it('that throws is evaluated again at the next require', async () => {
    const { require } = await requireOf({
      a: cjs(
        `globalThis.attempts = (globalThis.attempts ?? 0) + 1; if (globalThis.attempts < 2) throw new Error('not yet');`,
      ),
    });
    expect(() => require('a')).toThrow('not yet');
    expect(require('a')).toEqual({});
    Reflect.deleteProperty(globalThis, 'attempts');
  });

  it('of JSON is its value, and one with an addon is refused by name', async () => {
    const { require } = await requireOf({
      a: { files: { 'index.js': `require('./a.node');`, 'data.json': '\uFEFF{"x": 1}', 'a.node': '' } },
    });
    expect(require('a/data.json')).toEqual({ x: 1 });
    expect(require.import('a/data')).toMatchObject({ default: { x: 1 }, x: 1 });
    expect(() => require('a')).toThrow("a@1.0.0 loads a.node: a native package can't be loaded");
  });

  it('can be started as a worker thread, which resolves what the package finds', async () => {
    const { require } = await requireOf({
      a: {
        files: {
          'index.js': `exports.start = () => new (require('worker_threads').Worker)(require('path').join(__dirname, 'worker.js'));`,
          'worker.js': `require('worker_threads').parentPort.postMessage(require('b').name);`,
        },
        dependencies: ['b'],
      },
      b: cjs(`exports.name = 'b';`),
    });
    const worker = (require('a') as { start: () => Worker }).start();
    expect(await once(worker, 'message')).toEqual(['b']);
    await worker.terminate();
  });
});

describe('packages in a circle', () => {
  it('see what the other has exported so far, and the rest later', async () => {
    const { require } = await requireOf({
      pg: {
        ...cjs(
          `class Client {} exports.Client = Client; const Pool = require('pg-pool'); exports.Pool = class extends Pool {};`,
        ),
        dependencies: ['pg-pool'],
      },
      'pg-pool': {
        ...cjs(`module.exports = class Pool { client() { return new (require('pg').Client)(); } };`),
        dependencies: ['pg'],
      },
    });
    const { Pool, Client } = require('pg') as { Pool: new () => { client: () => object }; Client: new () => object };
    expect(new Pool().client()).toBeInstanceOf(Client);
  });

  it('of ES modules have live bindings', async () => {
    const { require } = await requireOf({
      a: {
        ...esm({ value: 'value', ofB: 'b.read()' }, `let value = 1; const b = require.import('b'); value = 2;`),
        dependencies: ['b'],
      },
      b: { ...esm({ read: '() => a.value' }, `const a = require.import('a');`), dependencies: ['a'] },
    });
    expect(require.import('a')).toMatchObject({ value: 2, ofB: 2 });
  });
});

describe('what import gets', () => {
  it('of an ES module is its exports', async () => {
    const { require } = await requireOf({ a: esm({ default: '1', name: '"a"' }) });
    expect({ ...require.import('a') }).toEqual({ default: 1, name: 'a' });
    expect(require('npm:a')).toBe(require.import('a'));
    expect(require('a')).toBe(require.import('a'));
  });

  it('of CommonJS is a namespace with the exports as default and live names', async () => {
    const { require } = await requireOf({
      a: cjs(
        `exports.__esModule = true; exports.default = 'inner'; exports.count = 0; exports.next = () => (exports.count += 1);`,
      ),
      f: cjs(`module.exports = function main() { return 'called'; }; module.exports.extra = 1;`),
      v: cjs(`module.exports = 7;`),
    });
    const a = require.import('a') as { default: object; count: number; next: () => void };
    expect(a.default).toBe(require('a'));
    a.next();
    expect(a.count).toBe(1);
    const f = require.import('f') as { default: () => string };
    expect([f.default(), Object.keys(f)]).toEqual(['called', ['default', 'extra']]);
    expect({ ...require.import('v') }).toEqual({ default: 7 });
    expect(require.import('f')).toBe(f);
  });

  it('of CommonJS in a circle has the names that come later', async () => {
    const { require } = await requireOf({
      a: { ...cjs(`exports.early = 1; exports.b = require('b'); exports.late = 2;`), dependencies: ['b'] },
      b: { ...esm({ late: '() => a.late' }, `const a = require.import('a');`), dependencies: ['a'] },
    });
    const { b } = require('a') as { b: { late: () => number } };
    expect(b.late()).toBe(2);
  });

  it('of a built-in module has its names and default', async () => {
    const { require } = await requireOf({
      a: esm(
        { all: '[path.join === path.default.join, typeof m.createRequire]' },
        `const path = require.import('node:path'), m = require.import('module');`,
      ),
    });
    expect(require.import('a')).toMatchObject({ all: [true, 'function'] });
  });

  it('of what is not in the package rejects import() with the code of Node.js', async () => {
    const { require } = await requireOf({ a: cjs(`exports.load = x => __hotcast_import(x);`) });
    const { load } = require('a') as { load: (specifier: string) => Promise<object> };
    await expect(load('gone')).rejects.toMatchObject({ code: 'ERR_MODULE_NOT_FOUND' });
    expect(await load('node:os')).toHaveProperty('cpus');
    expect(await load(new URL(`file://${require.resolve('a')}`).href)).toBe(require.import('a'));
  });
});

describe('import.meta and createRequire in a package', () => {
  it('are true: url, dirname, filename, resolve and files required by them', async () => {
    const { require } = await requireOf({
      a: {
        ...esm(
          {
            meta: '__hotcast_meta',
            b: 'require2("b")',
            data: 'require2("./data.json")',
            resolved: 'require2.resolve("b/package.json")',
          },
          `const require2 = require.import('node:module').createRequire(__hotcast_meta.url);`,
        ),
        dependencies: ['b'],
      },
      b: cjs('exports.isB = true;'),
    });
    expect(() => require('a/data.json')).toThrow('no subpath');
    const a = require.import('a') as {
      meta: { url: string; filename: string; dirname: string; resolve: (id: string) => string };
      b: object;
      resolved: string;
    };
    expect(a.b).toBe(require('b'));
    expect(a.meta.url).toBe(`file://${a.meta.filename}`);
    expect(a.meta.filename).toBe(join(a.meta.dirname, 'index.js'));
    expect(readFileSync(new URL(a.meta.resolve('b')), 'utf8')).toContain('isB');
    expect(JSON.parse(readFileSync(a.resolved, 'utf8'))).toMatchObject({ name: 'b' });
  });
});
