import { EventEmitter } from 'node:events';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { hosts } from '../modules/host.ts';

const host = hosts();

/** Where the modules of these tests drainConnection traces; they run in this realm. */
const traces: unknown[] = [];
Object.assign(globalThis, { __traces: traces });
const LEAVE = `const drainConnection = (trace: unknown = 'trace'): void => void (globalThis as any).__traces.push(trace);`;

beforeEach(() => {
  traces.length = 0;
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'setImmediate'] });
});
afterEach(() => void vi.useRealTimers());

const emit = (event: string, ...args: unknown[]): boolean => EventEmitter.prototype.emit.call(process, event, ...args);

/** Every timer of the module, and everything it hears from `process`, comes due some times. */
async function pass(): Promise<void> {
  for (let time = 0; time < 10; time += 1) {
    await vi.advanceTimersByTimeAsync(100);
    emit('yabba');
  }
}

describe('after its purge, nothing of a version runs', () => {
  it.each([
    ['globalThis.setTimeout', `const again = () => { drainConnection(); globalThis.setTimeout(again, 50); }; again();`],
    ['global.setInterval', `global.setInterval(drainConnection, 50);`],
    ['node:timers', `import * as timers from 'node:timers'; timers.setInterval(drainConnection, 50);`],
    [
      'a name of timers',
      `import { setImmediate as soon } from 'timers'; const again = () => { drainConnection(); setTimeout(() => soon(again), 50); }; again();`,
    ],
    ['its default', `import timers from 'node:timers'; timers.setInterval(drainConnection, 50);`],
    ['require', `require('timers').setInterval(drainConnection, 50);`],
    ['getBuiltinModule', `process.getBuiltinModule('node:timers').setInterval(drainConnection, 50);`],
    ['an import()', `void import('node:timers').then(({ setInterval }) => setInterval(drainConnection, 50));`],
    [
      'a promised sleep',
      `import { setTimeout as sleep } from 'node:timers/promises';
       void (async () => { try { for (;;) { await sleep(50); drainConnection(); } } catch { drainConnection(); } finally { drainConnection(); } })();`,
    ],
    [
      'a promisified sleep',
      `import { promisify } from 'node:util';
       void (async () => { try { for (;;) { await promisify(setTimeout)(50); drainConnection(); } } finally { drainConnection(); } })();`,
    ],
    [
      'timers.promises',
      `import { promises } from 'node:timers';
       void (async () => { for (;;) { await promises.setTimeout(50); await promises.setImmediate(); drainConnection(); } })();`,
    ],
    [
      'an iterator over timers',
      `import { setInterval as ticks } from 'node:timers/promises';
       void (async () => { try { for await (const tick of ticks(50, 'tick')) drainConnection(tick); } finally { drainConnection(); } })();`,
    ],
    [
      'scheduler.wait',
      `import { scheduler } from 'node:timers/promises';
       void (async () => { for (;;) { await scheduler.wait(50); await scheduler.yield(); drainConnection(); } })();`,
    ],
    ['process.on', `process.on('yabba' as any, drainConnection);`],
    ['globalThis.process', `globalThis.process.prependListener('yabba' as any, drainConnection);`],
    ['node:process', `import process from 'node:process'; process.addListener('yabba' as any, drainConnection);`],
    ['a name of process', `import { on } from 'node:process'; on('yabba' as any, drainConnection);`],
  ])('%s', async (_, statements) => {
    const node = host();
    await node.push({ demo: `${LEAVE} ${statements} export const x = 1;` });
    await pass();
    expect(traces.length).toBeGreaterThanOrEqual(5);
    await node.push({ demo: 'export const x = 2;' });
    traces.length = 0;
    await pass();
    expect(traces).toEqual([]);
    expect(process.listenerCount('yabba')).toBe(0);
  });

  it('a call that sleeps there fails when it is purged, and its finally block does not run', async () => {
    const node = host();
    const sleeping = `${LEAVE} import { setTimeout as sleep } from 'node:timers/promises';
      export const wait = async () => { try { await sleep(50); } finally { drainConnection(); } };`;
    await node.push({ demo: sleeping });
    const call = node.call('demo', 'wait');
    await node.push({ demo: 'export const x = 1;' });
    node.server.purge('demo');
    expect(await call).toMatchObject({ failure: 'exception', type: 'purged' });
    await pass();
    expect(traces).toEqual([]);
  });
});

describe('node:timers/promises', () => {
  const value = async (body: string): Promise<unknown> => {
    const node = host();
    const source = `import * as timers from 'node:timers/promises'; export async function f() { ${body} }`;
    await node.push({ demo: source });
    const given = node.value('demo', 'f');
    await vi.advanceTimersByTimeAsync(1_000);
    return given;
  };

  it('resolves with values', async () => {
    const body = `return [await timers.setTimeout(50, 'yabba'), await timers.setImmediate('doo'), await timers.scheduler.wait(5)];`;
    expect(await value(body.replace(', await timers.scheduler', ', typeof await timers.scheduler'))).toEqual([
      'yabba',
      'doo',
      'undefined',
    ]);
  });

  it('yields a value per tick, also for ticks without a waiting consumer, and stops with the loop', async () => {
    const body = `const seen = [];
      for await (const tick of timers.setInterval(50, 'tick')) {
        if (seen.length === 0) await timers.setTimeout(200);
        seen.push(tick);
        if (seen.length === 5) return seen;
      }`;
    expect(await value(body)).toEqual(['tick', 'tick', 'tick', 'tick', 'tick']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    ['setTimeout', `timers.setTimeout(500, null, { signal })`],
    ['setImmediate', `timers.setImmediate(null, { signal: AbortSignal.abort('no') })`],
    ['setInterval', `timers.setInterval(500, null, { signal }).next()`],
    ['scheduler.wait', `timers.scheduler.wait(500, { signal })`],
  ])('is aborted by a signal of the module: %s', async (_, start) => {
    const body = `const abort = new AbortController(); const { signal } = abort;
      setTimeout(() => abort.abort('no'), 50);
      return ${start}.catch(error => [error.name, error.code, error.cause]);`;
    expect(await value(body)).toEqual(['AbortError', 'ABORT_ERR', 'no']);
  });
});

describe('process in a module', () => {
  it.each([
    ['exit', 'process.exit(1)'],
    ['exit, from globalThis', 'globalThis.process.exit()'],
    ['exit, from node:process', `require('node:process').exit()`],
    ['abort', 'process.abort()'],
    ['reallyExit', '(process as any).reallyExit(0)'],
    ['kill', 'process.kill(process.pid)'],
    ['kill', 'process.kill(0)'],
    ['kill', 'process.kill(-1)'],
    ['kill', 'process.kill(1)'],
    ['exitCode', 'process.exitCode = 1'],
    ['chdir', `process.chdir('/')`],
    ['umask', 'process.umask(0)'],
    ['setuid', 'process.setuid!(0)'],
    ['setUncaughtExceptionCaptureCallback', 'process.setUncaughtExceptionCaptureCallback(() => undefined)'],
  ])('throws what to do in place of %s', async (name, statement) => {
    const node = host();
    await node.push({ demo: `export const f = () => { ${statement}; };` });
    const [what = ''] = name.split(',');
    expect(await node.call('demo', 'f')).toMatchObject({
      failure: 'exception',
      message: expect.stringMatching(
        `^process\\.${what} is not available in modules because it affects the whole node: `,
      ) as string,
    });
    expect(node.server.describe()['demo']).toMatchObject({ errors: 1 });
  });

  it('is that of Node in everything else', async () => {
    const node = host();
    await node.push({
      demo: `import { cwd, version } from 'node:process';
        export const f = () => [cwd(), version, process.pid, process.umask() >= 0, process.kill(process.pid, 0)];`,
    });
    expect(await node.value('demo', 'f')).toEqual([process.cwd(), process.version, process.pid, true, true]);
  });

  it('has the own enumerable names of that of Node when it is required, with its own values', async () => {
    const node = host();
    const demo = `const copy = require('node:process');
      export const f = () => [Object.keys(copy), copy.env === process.env, copy.pid];`;
    await node.push({ demo });
    const names: unknown = expect.arrayContaining(Object.keys(process));
    expect(await node.value('demo', 'f')).toEqual([names, true, process.pid]);
  });

  it('has a separate env', async () => {
    const node = host();
    const source = `process.env['YABBA'] = 'doo'; export const f = () => [process.env['YABBA'], process.env['PATH']];`;
    await node.push({ demo: source, other: `export const f = () => process.env['YABBA'] ?? null;` });
    expect(await node.value('demo', 'f')).toEqual(['doo', process.env['PATH']]);
    expect(await node.value('other', 'f')).toBeNull();
    expect(process.env['YABBA']).toBeUndefined();
  });

  it('has separate listeners: it removes only its own, and their errors are counted', async () => {
    const node = host();
    const others = process.listenerCount('uncaughtException');
    await node.push({
      demo: `
        process.removeAllListeners('uncaughtException');
        process.once('yabba' as any, () => { throw new Error('no'); });
        export const f = () => [process.listenerCount('yabba'), process.listeners('uncaughtException').length];
        export const g = () => void process.removeAllListeners().on('yabba' as any, () => undefined);
      `,
    });
    expect(await node.value('demo', 'f')).toEqual([1, 0]);
    expect(process.listenerCount('uncaughtException')).toBe(others);
    emit('yabba');
    emit('yabba');
    expect(node.server.describe()['demo']).toMatchObject({ errors: 1 });
    await node.value('demo', 'g');
    expect(await node.value('demo', 'f')).toEqual([1, 0]);
  });

  it('has methods of an emitter that a module can replace, take off it, and inherit', async () => {
    const node = host();
    await node.push({
      demo: `
        const mine = () => process;
        process.once = mine as any;
        const { on, emit } = process;
        const heard: string[] = [];
        on('yabba' as any, () => void heard.push('direct'));
        Object.create(process).addListener('yabba', () => void heard.push('inherited'));
        emit('yabba' as any);
        export const f = () => [process.once === mine, process.on === on, heard, Object.keys(process)];
      `,
    });
    expect(await node.value('demo', 'f')).toEqual([true, true, ['direct', 'inherited'], []]);
  });

  it('writes to the log, line by line', async () => {
    const node = host();
    await node.push({
      demo: `process.stdout.write('one\\ntwo\\n'); process.stderr.write('three'); export const x = 1;`,
    });
    expect(node.log.logged.map(({ level, message }) => [level, message]).slice(0, 3)).toEqual([
      ['info', 'one'],
      ['info', 'two'],
      ['warn', 'three'],
    ]);
  });
});

describe('globalThis in a module', () => {
  it('is shared with other modules, apart from the scoped globals', async () => {
    const node = host();
    await node.push({
      demo: `
        (globalThis as any).__yabba = 'doo';
        (globalThis as any).setTimeout = 'mine';
        export const f = () => [globalThis.setTimeout, typeof globalThis.crypto.randomUUID(), globalThis === global];
      `,
      other: `export const f = () => [(globalThis as any).__yabba, typeof globalThis.setTimeout, typeof setTimeout];`,
    });
    expect(await node.value('demo', 'f')).toEqual(['mine', 'string', true]);
    expect(await node.value('other', 'f')).toEqual(['doo', 'function', 'function']);
    expect(typeof setTimeout).toBe('function');
    Reflect.deleteProperty(globalThis, '__yabba');
  });

  it('does not change the names that a module declares', async () => {
    const node = host();
    await node.push({
      demo: `
        import { setTimeout } from 'node:timers/promises';
        const process = 'stone', console = 'rock', global = 1;
        export const f = async () => [process, console, global, await setTimeout(5, 'slept')];
      `,
    });
    const given = node.value('demo', 'f');
    await vi.advanceTimersByTimeAsync(10);
    expect(await given).toEqual(['stone', 'rock', 1, 'slept']);
  });
});
