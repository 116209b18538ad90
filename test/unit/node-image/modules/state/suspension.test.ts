import { describe, expect, it } from 'vitest';

import type { LoadResult } from '../../../../../node-image/src/modules/load-result.ts';
import { latch } from '../../../fixtures.ts';
import { hosts, type Host } from '../host.ts';

const host = hosts();

Object.assign(globalThis, { __until: {} });
const until = (Reflect.get(globalThis, '__until') ?? {}) as Record<string, Promise<void>>;

/** Counts in `data.count`. `slow` counts when `opened` is resolved. */
const counter = (more = ''): string => `
  const data = import.meta.hot.dataOf({ count: 0 });
  declare const __until: Record<string, Promise<void>>;
  export const count = (): number => (data.count += 1);
  export const read = (): number => data.count;
  export const slow = async (name: string): Promise<number> => { await __until[name]; return (data.count += 1); };
  export async function* ticks(name: string) { yield 1; await __until[name]; }
  ${more}
`;
const CHANGE = 'export const codeChange = (old: { count: number }) => ({ count: old.count, changed: true });';

/** Compiles and prepares a module; `load` loads it as a commit does. */
async function prepared(node: Host, source: string, module = 'counter') {
  const [bundle] = await node.compile({ [module]: source });
  if (bundle === undefined) throw new Error('nothing was compiled');
  node.server.prepare(bundle);
  return async (): Promise<LoadResult> =>
    node.server.suspensions.whenQuiet([bundle], () => node.commit(module, bundle.revision));
}

describe('a change of data', () => {
  it('waits for calls that run, and has what they wrote; calls that come meanwhile wait for it', async () => {
    const node = host({ codeChangeTimeoutMs: 60_000 });
    await node.push({ counter: counter() });
    const barrier = latch();
    until['barrier'] = barrier.opened;
    const load = await prepared(node, counter(CHANGE));
    const running = node.value('counter', 'slow', 'barrier');
    const loading = load();
    const waiting = node.call('counter', 'count');
    barrier.open();
    expect(await running).toBe(1);
    expect(await loading).toEqual({ status: 'ok', waitedMs: expect.any(Number) as number });
    expect(await waiting).toMatchObject({ json: '2', revision: node.server.current('counter')?.revision });
    expect(node.server.current('counter')?.data).toEqual({ count: 2, changed: true });
  });

  it('loses no count of concurrent calls over many versions', async () => {
    const node = host({ codeChangeTimeoutMs: 60_000 });
    await node.push({ counter: counter(CHANGE) });
    until['turn'] = Promise.resolve();
    let calls = 0;
    const stopping = new AbortController();
    const clients = Array.from({ length: 8 }, async () => {
      while (!stopping.signal.aborted) {
        await node.value('counter', 'slow', 'turn');
        calls += 1;
        await new Promise(resolve => setImmediate(resolve));
      }
    });
    for (let version = 0; version < 5; version += 1) {
      expect(await (await prepared(node, counter(`${CHANGE}\nexport const v = ${version};`)))()).toMatchObject({
        status: 'ok',
      });
    }
    stopping.abort();
    await Promise.all(clients);
    expect(calls).toBeGreaterThan(0);
    expect(await node.value('counter', 'read')).toBe(calls);
  });

  it('waits at most for the limit, and warns that the call loses what it writes', async () => {
    const node = host({ codeChangeTimeoutMs: 20 });
    await node.push({ counter: counter() });
    const barrier = latch();
    until['never'] = barrier.opened;
    const running = node.value('counter', 'slow', 'never');
    const warning =
      'a call (counter.slow) still ran after 20 ms: what is written to the data from before the change is lost';
    expect(await (await prepared(node, counter(CHANGE)))()).toEqual({ status: 'ok', warnings: [warning] });
    expect(node.log.logged.filter(({ level }) => level === 'warn')).toMatchObject([{ message: warning }]);
    expect(await node.value('counter', 'read')).toBe(0);
    barrier.open();
    expect(await running).toBe(1);
    expect(await node.value('counter', 'read')).toBe(0);
  });

  it('waits only once for a call that does not return, also for one of a module that imports it', async () => {
    const node = host({ codeChangeTimeoutMs: 1 });
    await node.push({
      counter: counter(),
      user: `import { slow } from 'hot:counter'; export const use = () => slow('ever');`,
    });
    const barrier = latch();
    until['ever'] = barrier.opened;
    const running = node.value('user', 'use');
    await new Promise(resolve => setImmediate(resolve));
    await (
      await prepared(node, counter(CHANGE))
    )();
    const load = await prepared(node, counter(`${CHANGE} export const v = 2;`));
    const again = load();
    expect(node.server.suspensions.untilResumed('counter')).toBeNull();
    expect(await again).toEqual({ status: 'ok' });
    barrier.open();
    await running;
  });

  it('waits for calls on an earlier version too, because it has the same data', async () => {
    const node = host({ codeChangeTimeoutMs: 60_000 });
    await node.push({ counter: counter() });
    const barrier = latch();
    until['earlier'] = barrier.opened;
    const running = node.value('counter', 'slow', 'earlier');
    await node.push({ counter: counter('export const v = 1;') });
    const load = await prepared(node, counter(CHANGE));
    const loading = load();
    const waiting = node.value('counter', 'read');
    barrier.open();
    await Promise.all([running, loading]);
    expect(await waiting).toBe(1);
  });

  it('counts the calls that wait as in flight, so that a node that stops answers them', async () => {
    const node = host({ codeChangeTimeoutMs: 60_000 });
    await node.push({ counter: counter() });
    const barrier = latch();
    until['stop'] = barrier.opened;
    const running = node.value('counter', 'slow', 'stop');
    const load = await prepared(node, counter(CHANGE));
    const loading = load();
    const waiting = node.value('counter', 'read');
    expect(node.server.callsInFlight).toBe(2);
    barrier.open();
    await Promise.all([running, loading, waiting]);
    expect(node.server.callsInFlight).toBe(0);
  });

  it('does not wait for a stream that is being sent', async () => {
    const node = host({ codeChangeTimeoutMs: 60_000 });
    await node.push({ counter: counter() });
    const barrier = latch();
    until['stream'] = barrier.opened;
    const streaming = node.value('counter', 'ticks', 'stream');
    await new Promise(resolve => setImmediate(resolve));
    expect(await (await prepared(node, counter(CHANGE)))()).toEqual({ status: 'ok' });
    barrier.open();
    expect(await streaming).toEqual([1]);
  });

  it('waits for calls of modules that import the module, and holds up their new ones', async () => {
    const node = host({ codeChangeTimeoutMs: 60_000 });
    await node.push({
      counter: counter(),
      user: `import { count, slow } from 'hot:counter'; export const use = (name: string) => slow(name); export const more = () => count();`,
    });
    const barrier = latch();
    until['user'] = barrier.opened;
    const running = node.value('user', 'use', 'user');
    await new Promise(resolve => setImmediate(resolve));
    const load = await prepared(node, counter(CHANGE));
    const loading = load();
    const waiting = node.value('user', 'more');
    barrier.open();
    expect([await running, await waiting]).toEqual([1, 2]);
    expect(await loading).toMatchObject({ waitedMs: expect.any(Number) as number });
    expect(await node.value('counter', 'read')).toBe(2);
  });

  it('lets the calls go on when it fails', async () => {
    const node = host({ codeChangeTimeoutMs: 60_000 });
    await node.push({ counter: counter() });
    const barrier = latch();
    until['fails'] = barrier.opened;
    const load = await prepared(node, counter(`export const codeChange = () => { throw new Error('no'); };`));
    const running = node.value('counter', 'slow', 'fails');
    const loading = load();
    const waiting = node.value('counter', 'count');
    barrier.open();
    expect(await running).toBe(1);
    expect(await loading).toMatchObject({ status: 'refused', reason: 'on_load_failure' });
    expect(await waiting).toBe(2);
  });

  it.for(['', CHANGE])('holds up nothing when no call runs, nor when there is none: %s', async change => {
    const node = host({ codeChangeTimeoutMs: 60_000 });
    await node.push({ counter: counter() });
    const barrier = latch();
    until['none'] = barrier.opened;
    const running = change === '' ? node.value('counter', 'slow', 'none') : null;
    const load = await prepared(node, counter(change));
    expect(await load()).toEqual({ status: 'ok' });
    barrier.open();
    await running;
  });
});
