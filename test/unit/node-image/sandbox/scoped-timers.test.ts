import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { scriptName } from '../../../../node-image/src/modules/version.ts';
import { latch } from '../../fixtures.ts';
import { hosts } from '../modules/host.ts';

const host = hosts();

/** Where the modules of these tests drainConnection traces; they run in this realm. */
const traces: string[] = [];
Object.assign(globalThis, { __traces: traces });

beforeEach(() => {
  traces.length = 0;
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] });
});
afterEach(() => void vi.useRealTimers());

const leaving = (trace: string): string => `(globalThis as any).__traces.push(${trace});`;

/** A module that ticks, reports its end, and has a function that waits. */
const ticking = (name: string): string => `
  const { data, signal, dispose } = import.meta.hot;
  setInterval(() => { ${leaving(`'${name} ticks'`)} }, 50);
  signal.addEventListener('abort', () => { ${leaving(`'${name} aborted'`)} });
  data['name'] = '${name}';
  dispose(data => { ${leaving(`'${name} disposed of ' + data['name']`)} });
  export const wait = async (opened: Promise<void>): Promise<string> => {
    await opened;
    await new Promise(resolve => setTimeout(resolve, 10));
    return '${name}';
  };
`;

describe('a version', () => {
  it('closes what it opened when it is idle and the next one is loaded', async () => {
    const node = host();
    await node.push({ demo: ticking('one') });
    vi.advanceTimersByTime(50);
    await node.push({ demo: ticking('two') });
    expect(traces).toEqual(['one ticks', 'one aborted', 'one disposed of two']);
    vi.advanceTimersByTime(50);
    expect(traces.slice(3)).toEqual(['two ticks']);
  });

  it('keeps what it opened while calls run on it, and closes it with the last', async () => {
    const node = host();
    await node.push({ demo: ticking('one') });
    const [first, second] = [latch(), latch()];
    const calls = [node.value('demo', 'wait', first.opened), node.value('demo', 'wait', second.opened)];
    await node.push({ demo: ticking('two') });
    first.open();
    await vi.advanceTimersByTimeAsync(40);
    expect(await calls[0]).toBe('one');
    expect(traces).toEqual([]);
    second.open();
    await vi.advanceTimersByTimeAsync(20);
    expect(await calls[1]).toBe('one');
    expect(traces).toEqual(['one ticks', 'two ticks', 'one aborted', 'one disposed of two']);
    traces.length = 0;
    vi.advanceTimersByTime(100);
    expect(traces).toEqual(['two ticks', 'two ticks']);
  });

  it('closes what it opened when it is removed', async () => {
    const node = host();
    await node.push({ demo: ticking('one') });
    node.commit('demo', null);
    expect(traces).toEqual(['one aborted', 'one disposed of one']);
    vi.advanceTimersByTime(50);
    expect(traces).toHaveLength(2);
  });

  it('closes what it opened when it throws while it loads', async () => {
    const node = host();
    await node.tryPush({ demo: `${ticking('one')} throw new Error('no');` });
    expect(traces).toEqual(['one aborted', 'one disposed of one']);
    vi.advanceTimersByTime(50);
    expect(traces).toHaveLength(2);
  });

  it('closes what it opened when another of its set throws', async () => {
    const node = host();
    await node.tryPush({ demo: ticking('one'), other: `export const x = 1; throw new Error('no');` });
    expect(traces).toEqual(['one aborted', 'one disposed of one']);
    vi.advanceTimersByTime(50);
    expect(traces).toHaveLength(2);
  });

  it('does not affect other modules', async () => {
    const node = host();
    await node.push({ demo: ticking('one'), other: ticking('other') });
    await node.push({ demo: ticking('two') });
    vi.advanceTimersByTime(50);
    expect(traces.slice(2)).toEqual(['other ticks', 'two ticks']);
  });

  it('ticks once a period over twenty pushes', async () => {
    const node = host();
    for (let push = 0; push < 20; push += 1) {
      await node.push({ demo: `${ticking('one')} export const push = ${push};` });
      vi.advanceTimersByTime(100);
    }
    expect(traces.filter(trace => trace === 'one ticks')).toHaveLength(40);
  });
});

describe('prune', () => {
  const pruning = (name: string): string => `
    const { dispose, prune, data } = import.meta.hot;
    data['by'] = '${name}';
    dispose(data => { ${leaving(`'${name} disposed of ' + data['by']`)} });
    prune(data => { ${leaving(`'${name} pruned of ' + data['by']`)} });
    export const wait = (opened: Promise<void>) => opened;
  `;

  it('is called when the module is removed, not when it is replaced', async () => {
    const node = host();
    await node.push({ demo: pruning('one') });
    await node.push({ demo: pruning('two') });
    await vi.advanceTimersByTimeAsync(0);
    expect(traces).toEqual(['one disposed of two']);
    node.commit('demo', null);
    await vi.advanceTimersByTimeAsync(0);
    expect(traces.slice(1)).toEqual(['two disposed of two', 'two pruned of two']);
  });

  it('is not called when the module is back before its last call has ended', async () => {
    const node = host();
    await node.push({ demo: pruning('one') });
    const { opened, open } = latch();
    const call = node.value('demo', 'wait', opened);
    node.commit('demo', null);
    await node.push({ demo: pruning('two') });
    open();
    await call;
    await vi.advanceTimersByTimeAsync(0);
    expect(traces).toEqual(['one disposed of two']);
  });
});

describe('purge', () => {
  it('closes what a version opened even if a call runs on it', async () => {
    const node = host();
    await node.push({ demo: ticking('one') });
    const { opened } = latch();
    void node.call('demo', 'wait', opened);
    await node.push({ demo: ticking('two') });
    expect(node.server.describeDraining()).toMatchObject([{ inFlight: 1 }]);
    node.server.purge('demo');
    expect(traces).toEqual(['one aborted', 'one disposed of two']);
    expect(node.server.describeDraining()).toEqual([]);
  });
});

describe('an uncaught error', () => {
  const FAILING = `
    export const start = (): void => {
      setTimeout(() => {
        throw new RangeError('in a timer');
      }, 50);
    };
    export const stray = (): unknown => new Error('stray');
    import.meta.hot.data['stray'] = stray;
    import.meta.hot.dispose(() => Promise.reject(new Error('in dispose')));
  `;

  it('is counted against its version and logged with its stack: in a timer', async () => {
    const node = host();
    const [bundle] = await node.push({ demo: FAILING });
    const at = bundle && scriptName(bundle);
    await node.call('demo', 'start');
    vi.advanceTimersByTime(50);
    expect(node.server.describe()['demo']).toMatchObject({ calls: 1, errors: 1 });
    const stack = expect.stringMatching(`^RangeError: in a timer\\n.*${at} modules/demo\\.ts:4:15`) as string;
    expect(node.log.logged.at(-1)).toEqual({
      level: 'error',
      message: 'error in a module',
      fields: {
        module: 'demo',
        revision: bundle?.revision.slice(0, 12),
        err: { type: 'RangeError', message: 'in a timer', stack },
      },
    });
  });

  it('is counted against the version whose code is in its stack, current or old', async () => {
    const node = host();
    const waiting = `${FAILING} export const wait = (opened: Promise<void>) => opened;`;
    await node.push({ demo: waiting });
    const { opened, open } = latch();
    const call = node.call('demo', 'wait', opened);
    const old = node.server.current('demo');
    await node.push({ demo: `export const nothing = 1;` });
    const stray = old?.exports['stray'] as () => Error;
    expect(node.server.errors.countUncaught(stray())).toBe(true);
    expect(old?.errors).toBe(1);
    expect(node.server.describe()['demo']).toMatchObject({ errors: 0 });
    open();
    await call;
    expect(node.server.errors.countUncaught(stray())).toBe(false);
  });

  it.each([['an error of the node', new Error('no')], ['a text'], [undefined]])(
    'is not counted when no module is in its stack: %s',
    async (_, error?: unknown) => {
      const node = host();
      await node.push({ demo: FAILING });
      expect(node.server.errors.countUncaught(error)).toBe(false);
      expect(node.server.describe()['demo']).toMatchObject({ errors: 0 });
    },
  );

  it('is logged with module and revision: in dispose', async () => {
    const node = host();
    const [bundle] = await node.push({ demo: FAILING });
    await node.push({ demo: `export const nothing = 1;` });
    await expect.poll(() => node.log.logged.at(-1)?.message).toBe('error in a module');
    expect(node.log.logged.at(-1)?.fields).toMatchObject({
      module: 'demo',
      revision: bundle?.revision.slice(0, 12),
      err: { message: 'in dispose' },
    });
  });
});

describe('a call that is in another module', () => {
  const slow = (name: string): string => `
    export const slow = async (): Promise<string> => {
      await new Promise(resolve => setTimeout(resolve, 1_000));
      return '${name}';
    };
    ${ticking(name)}
  `;
  const CALLER = `import { slow } from 'hot:demo'; export const ask = () => slow();`;
  const OUTER = `import * as caller from 'hot:caller'; export const askOther = () => caller.ask();`;

  it.each([
    ['caller', 'ask'],
    ['outer', 'askOther'],
  ])('ends on the version that it found there, which is kept for so long: %s', async (module, name) => {
    const node = host();
    await node.push({ demo: slow('one'), caller: CALLER, outer: OUTER });
    const asked = node.value(module, name);
    await node.push({ demo: slow('two') });
    const later = node.value(module, name);
    expect(node.server.describeDraining()).toMatchObject([
      { module: 'demo', inFlight: 1, heldBy: `${module}.${name}` },
    ]);
    expect(traces).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await Promise.all([asked, later])).toEqual(['one', 'two']);
    expect(traces).toContain('one disposed of two');
    expect(node.server.describe()['demo']).toMatchObject({ inFlight: 0 });
    expect(node.server.describeDraining()).toEqual([]);
    expect(node.server.callsInFlight).toBe(0);
  });

  it('does not keep a version of a module that it can not reach', async () => {
    const node = host();
    await node.push({ demo: slow('one'), caller: CALLER, other: ticking('other') });
    const asked = node.value('caller', 'ask');
    await node.push({ other: ticking('another') });
    expect(traces).toEqual(['other aborted', 'other disposed of another']);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await asked).toBe('one');
  });

  it('does not keep a version that was replaced before it started', async () => {
    const node = host();
    await node.push({ demo: slow('one'), caller: CALLER });
    await node.push({ demo: slow('two') });
    void node.call('caller', 'ask');
    expect(node.server.describeDraining()).toEqual([]);
    expect(traces).toEqual(['one aborted', 'one disposed of two']);
  });
});
