import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import { afterEach, describe, expect, it, vi } from 'vitest';

import { CodeServer } from '../../../../node-image/src/modules/code-server.ts';
import { call } from '../../../../node-image/src/modules/invoke.ts';
import type { LoadResult } from '../../../../node-image/src/modules/load-result.ts';
import { scriptName } from '../../../../node-image/src/modules/version.ts';
import { bundleOf, headOf, recordingLog } from '../../fixtures.ts';
import { packageNodes } from '../packages/package-nodes.ts';
import { bundleWith, esModule, FixtureStream, type Installed } from '../packages/package-set.ts';

const nodes = packageNodes();
afterEach(() => void vi.useRealTimers());

const PACKAGES: Installed = {
  counter: { files: { 'index.js': `let count = 0; exports.next = () => (count += 1); exports.Counted = class {};` } },
  registry: {
    files: {
      'index.js': `const names = new Set();
        exports.register = name => {
          if (names.has(name)) throw new Error('A metric with the name ' + name + ' has already been registered.');
          names.add(name);
          return { name, close: () => names.delete(name) };
        };`,
    },
  },
  opener: {
    files: {
      'index.js': `exports.tick = () => setInterval(() => {}, 1000); exports.stop = clearInterval;
        exports.connect = port => require('net').connect(port, '127.0.0.1');
        exports.say = text => console.log(text);`,
    },
  },
  esm: {
    manifest: { type: 'module' },
    files: { 'index.js': '' },
    converted: { 'index.js': esModule({ default: '"esm"', name: '"n"' }) },
  },
};

/** A node, and a function that pushes code which uses packages. */
function nodeWith(installed: Installed = PACKAGES) {
  const { packages, resources, folder } = nodes.node();
  const log = recordingLog();
  const server = new CodeServer(log, { packages, resources });
  const stream = new FixtureStream();
  const hash = stream.add(installed);
  let sequence = 0;
  const prepare = async (code: string, module = 'demo', set = hash) => {
    const bundle = bundleWith(set, code, module);
    const readiness = await packages.prepare(bundle, stream);
    if (readiness.status === 'failed') throw new Error(readiness.detail);
    return { bundle, prepared: server.prepare(bundle, readiness.set) };
  };
  const commit = (module: string, revision: string | null): LoadResult =>
    server.commit([headOf(module, revision, (sequence += 1))]);
  const push = async (code: string, module = 'demo', set = hash): Promise<LoadResult> => {
    const { bundle } = await prepare(code, module, set);
    return commit(module, bundle.revision);
  };
  const value = async (name: string, module = 'demo', ...args: unknown[]): Promise<unknown> => {
    const answer = await call(server, 'fred', { module, function: name, args });
    return answer.status === 'value' ? JSON.parse(answer.json ?? 'null') : answer;
  };
  return { server, packages, folder, resources, stream, hash, log, prepare, commit, push, value };
}

describe('a package', () => {
  it('is shared by modules and versions, by whatever they require it with', async () => {
    const node = nodeWith();
    await node.push(`exports.next = require.import('counter').next;`, 'one');
    await node.push(`const { next } = require('counter'); exports.next = () => next();`, 'two');
    expect([await node.value('next', 'one'), await node.value('next', 'two')]).toEqual([1, 2]);
    await node.push(`exports.next = require('npm:counter').next; exports.second = true;`, 'one');
    expect(await node.value('next', 'one')).toBe(3);
  });

  it('is found by import, require and require.resolve beside built-in modules', async () => {
    const node = nodeWith();
    const code = `const fs = require.import('node:fs');
      exports.all = () => [require.import('esm').default, require('npm:esm').name, fs.default === require('fs'), require.resolve('fs'),
        /node_modules.counter.index\\.js$/.test(require.resolve('counter'))];
      exports.gone = () => { try { require('gone'); } catch (error) { return error.code + ' ' + error.message; } };`;
    expect(await node.push(code)).toEqual({ status: 'ok' });
    expect(await node.value('all')).toEqual(['esm', 'n', true, 'fs', true]);
    expect(await node.value('gone')).toBe(`MODULE_NOT_FOUND Cannot find package 'gone' required from module demo`);
  });

  it('must be ready before the module is prepared', async () => {
    const node = nodeWith();
    const detail = 'its packages are not ready';
    expect(node.server.prepare(bundleWith(node.hash))).toEqual({ status: 'refused', reason: 'nofile', detail });
    const { packages: _, ...plain } = bundleWith(node.hash, 'exports.x = 1;');
    expect(node.server.prepare({ ...plain, ...bundleOf('demo', plain.code) })).toEqual({ status: 'ok' });
  });

  it('prints to the log of the version that calls it', async () => {
    const node = nodeWith();
    await node.push(`exports.say = require('opener').say;`);
    expect(await call(node.server, 'fred', { module: 'demo', function: 'say', args: ['yabba'] })).toMatchObject({
      output: ['yabba'],
    });
    expect(node.log.logged.at(-1)).toMatchObject({ fields: { module: 'demo' }, message: 'yabba' });
  });

  it('is in use while a version of it runs, drains or can be loaded, and no longer', async () => {
    const node = nodeWith();
    const other = node.stream.add({ ...PACKAGES, more: { files: {} } });
    await node.push(`require('counter');`);
    await node.push(`require('counter');`, 'demo', other);
    expect(node.server.packagesInUse()).toEqual(new Set([node.hash, other]));
    for (let version = 0; version < 4; version += 1) await node.push(`exports.v = ${version};`, 'demo', other);
    expect(node.server.packagesInUse()).toEqual(new Set([other]));
    expect(node.commit('demo', null)).toEqual({ status: 'ok' });
    await expect.poll(() => node.server.packagesInUse()).toEqual(new Set());
  });
});

describe('import.meta.hot.keep', () => {
  const keeping = (name: string, more = '') =>
    `const { register } = require('registry');
     const metric = __hotcast_hot.keep('m', () => register('m'), value => { globalThis.closed.push(value.name); value.close(); });
     exports.name = () => metric.name + ' ${name}'; ${more}`;
  const closed: string[] = [];
  Object.assign(globalThis, { closed });
  afterEach(() => void (closed.length = 0));

  it('makes a value once for all versions, and closes it when the module is removed', async () => {
    const node = nodeWith();
    for (const name of ['one', 'two', 'three']) expect(await node.push(keeping(name))).toEqual({ status: 'ok' });
    expect(await node.value('name')).toBe('m three');
    expect(closed).toEqual([]);
    node.commit('demo', null);
    await expect.poll(() => closed).toEqual(['m']);
    expect(await node.push(keeping('again'))).toEqual({ status: 'ok' });
  });

  it('waits with the close for calls that run on a removed version', async () => {
    const node = nodeWith();
    await node.push(keeping('one', 'exports.wait = () => new Promise(resolve => { globalThis.go = resolve; });'));
    const waiting = node.value('wait');
    node.commit('demo', null);
    await new Promise(resolve => setImmediate(resolve));
    expect(closed).toEqual([]);
    (Reflect.get(globalThis, 'go') as () => void)();
    await waiting;
    await expect.poll(() => closed).toEqual(['m']);
  });

  it('closes at once what a version made whose load failed, and what a dry run made', async () => {
    const node = nodeWith();
    expect(await node.push(keeping('bad', `throw new Error('no');`))).toMatchObject({ reason: 'on_load_failure' });
    await expect.poll(() => closed).toEqual(['m']);
    const { bundle } = await node.prepare(keeping('tried'));
    expect(node.server.dryRun([bundle])).toEqual({ status: 'would_load' });
    await expect.poll(() => closed).toEqual(['m', 'm']);
    expect(node.commit('demo', bundle.revision)).toEqual({ status: 'ok' });
    expect(node.server.dryRun([(await node.prepare(keeping('next'))).bundle])).toEqual({ status: 'would_load' });
    expect(closed).toHaveLength(2);
  });

  it('closes at the stop of the node, after dispose', async () => {
    const node = nodeWith();
    await node.push(keeping('one', `__hotcast_hot.dispose(() => globalThis.closed.push('dispose'));`));
    await node.server.stop(1_000);
    expect(closed).toEqual(['dispose', 'm']);
  });

  it('makes a value again whose promise was rejected', async () => {
    const node = nodeWith();
    const code = (result: string) =>
      `require('counter'); exports.kept = async () => __hotcast_hot.keep('p', () => ${result});`;
    await node.push(code(`Promise.reject(new Error('no'))`));
    expect(await node.value('kept')).toMatchObject({ message: 'no' });
    expect((await node.push(code('7'))).status).toBe('ok');
    expect(await node.value('kept')).toBe(7);
  });

  it('is named in the refusal of a version that registers again', async () => {
    const node = nodeWith();
    await node.push(`require('registry').register('m');`);
    expect(await node.push(`require('registry').register('m'); exports.next = 1;`)).toMatchObject({
      reason: 'on_load_failure',
      detail: expect.stringMatching(
        /already been registered\. Packages .* import\.meta\.hot\.keep\(key, make\)/,
      ) as string,
    });
  });
});

describe('what a version opens in packages', () => {
  it('stays open when the version has ended, and is counted for it', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const node = nodeWith();
    const code = `const { tick, connect, stop } = require('opener'); exports.open = port => { globalThis.opened = [tick(), connect(port)]; };`;
    await node.push(code);
    await node.value('open', 'demo', (server.address() as AddressInfo).port);
    const [timer, socket] = Reflect.get(globalThis, 'opened') as [
      NodeJS.Timeout,
      { destroy: () => void; closed: boolean },
    ];
    expect(node.server.describeLeftBehind()).toEqual({});
    const { revision } = node.server.current('demo') ?? { revision: '' };
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    await node.push('exports.next = 1;');
    const script = scriptName({ module: 'demo', revision });
    expect(node.server.describeLeftBehind()).toEqual({ [script]: { timers: 1, sockets: 1 } });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(node.log.logged.findLast(({ level }) => level === 'warn')).toMatchObject({
      fields: { module: 'demo', timers: 1, sockets: 1 },
      message: expect.stringContaining('left behind: 1 timer and 1 connection') as string,
    });
    vi.useRealTimers();
    expect(Reflect.get(timer, '_destroyed')).toBe(false);
    clearInterval(timer);
    socket.destroy();
    await expect.poll(() => node.server.describeLeftBehind()).toEqual({});
    server.close();
  });
});
