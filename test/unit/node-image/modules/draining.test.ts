import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { scriptName } from '../../../../node-image/src/modules/version.ts';
import { headOf, latch } from '../../fixtures.ts';
import { type Host, hosts } from './host.ts';

const host = hosts();

/** What the versions of these tests have ended; they run in this realm. */
const ended: string[] = [];
Object.assign(globalThis, { __ended: ended });

const START = Date.UTC(2026, 0, 2, 3, 4, 5);

beforeEach(() => {
  ended.length = 0;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'], now: START });
});
afterEach(() => void vi.useRealTimers());

/** A version with a call that waits, and that shows its data. */
const version = (name: string): string => `
  const { data, dispose } = import.meta.hot;
  dispose(() => void (globalThis as any).__ended.push('${name}'));
  data['name'] = '${name}';
  export const wait = async (opened: Promise<void>): Promise<unknown[]> => { await opened; return ['${name}', data]; };
  export const fail = async (opened: Promise<void>) => { await opened; throw new Error('${name}'); };
`;

const limited = (maxVersions: number, memoryExcess = (): string | null => null) => ({
  draining: { maxVersions, memoryExcess },
});

/** Pushes a version after the other, with a call on each; returns what ends each call. */
async function pushWithCalls(node: Host, names: readonly string[]) {
  const calls = [];
  for (const name of names) {
    await node.push({ demo: version(name) });
    const { opened, open } = latch();
    calls.push({ open, value: node.value('demo', 'wait', opened) });
    vi.advanceTimersByTime(60_000);
  }
  return calls;
}

const inFlight = ({ server }: Host): number[] => server.describeDraining().map(each => each.inFlight);

describe('versions that drain', () => {
  it('are as many as calls need: each call ends on its own, and each version closes with its last call', async () => {
    const node = host();
    const names = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
    const calls = await pushWithCalls(node, names);
    expect(inFlight(node)).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
    for (const index of [3, 0, 7, 8, 1, 2, 4, 5, 6]) {
      const call = calls[index];
      call?.open();
      expect(await call?.value).toMatchObject([names[index], {}]);
    }
    expect(ended).toEqual(['four', 'one', 'eight', 'two', 'three', 'five', 'six', 'seven']);
    expect(inFlight(node)).toEqual([]);
  });

  it('do not hinder a push while one call is held on the first', async () => {
    const node = host(limited(2));
    const [held] = await pushWithCalls(node, ['one']);
    for (let count = 0; count < 20; count += 1) await node.push({ demo: version(`later ${count}`) });
    expect(inFlight(node)).toEqual([1]);
    held?.open();
    expect(await held?.value).toMatchObject(['one', {}]);
  });

  it('are described: since when, how many calls, and the call that runs for the longest time', async () => {
    const node = host();
    const [one] = await node.push({ demo: version('one') });
    void node.call('demo', 'wait', new Promise(() => undefined));
    void node.call('demo', 'fail', new Promise(() => undefined));
    vi.setSystemTime(START + 5_000);
    node.commit('demo', null);
    expect(node.server.describe()).toEqual({});
    const described = { module: 'demo', revision: one?.revision, inFlight: 2, heldBy: 'demo.wait' };
    expect(node.server.describeDraining()).toEqual([{ ...described, since: START + 5_000, ageMs: 0 }]);
    // A clock that jumps changes the time that is shown, and not how long it was.
    vi.advanceTimersByTime(1_000);
    vi.setSystemTime(START + 3_600_000);
    expect(node.server.describeDraining()).toEqual([{ ...described, since: START + 3_599_000, ageMs: 1_000 }]);
  });

  it('have stacks of their sources, also when many newer revisions were compiled', async () => {
    const node = host();
    const [one] = await node.push({ demo: version('one') });
    const { opened, open } = latch();
    const failed = node.call('demo', 'fail', opened);
    for (let count = 0; count < 6; count += 1) await node.push({ demo: version(`later ${count}`) });
    expect(node.server.isPrepared('demo', one?.revision ?? '')).toBe(false);
    open();
    expect(await failed).toMatchObject({ stack: expect.stringMatching(/modules\/demo\.ts:6:\d+/) as string });
  });

  it('keep their data when a codeChange replaces it', async () => {
    const node = host();
    const [held] = await pushWithCalls(node, ['one']);
    const changing = `${version('two')} export const codeChange = (data: object) => ({ ...data, name: 'changed' });`;
    const [next] = await node.compile({ demo: changing });
    // Without the time that a change waits for calls.
    if (next !== undefined) node.load(next);
    await node.push({ demo: version('three') });
    held?.open();
    expect(await held?.value).toEqual(['one', { name: 'one' }]);
  });

  it('of an imported module close with the call of the importer, or by force, which that call survives', async () => {
    const node = host();
    await node.push({
      demo: version('one'),
      caller: `import { wait } from 'hot:demo'; export const ask = async (opened: Promise<void>) => { await opened; return (await wait(opened))[0]; };`,
    });
    const { opened, open } = latch();
    const asked = node.value('caller', 'ask', opened);
    for (const name of ['two', 'three']) await node.push({ demo: version(name) });
    expect(node.server.describeDraining()).toMatchObject([{ heldBy: 'caller.ask' }, { heldBy: 'caller.ask' }]);
    node.server.purge('demo');
    expect(ended).toEqual(['one', 'two']);
    await node.push({ demo: version('four') });
    expect(inFlight(node)).toEqual([1]);
    open();
    expect(await asked).toBe('four');
    expect(inFlight(node)).toEqual([]);
  });
});

describe('past the limit', () => {
  it('a load is refused, which names the oldest version, what holds it and since when', async () => {
    const node = host(limited(2));
    const [one] = await node.push({ demo: version('one') });
    void node.call('demo', 'wait', new Promise(() => undefined));
    const [, two] = await pushWithCalls(node, ['one', 'two', 'three']);
    vi.advanceTimersByTime(117 * 60_000);
    expect(await node.tryPush({ demo: version('four') })).toEqual({
      status: 'refused',
      reason: 'not_purged',
      detail:
        `2 earlier versions drain, the limit is 2; the oldest, ${one && scriptName(one)}, drains since ` +
        '2026-01-02T03:05:05.000Z (1 h 59 min), held by demo.wait and 1 more call (--force purges all)',
    });
    two?.open();
    expect(await two?.value).toMatchObject(['two', {}]);
    await node.push({ demo: version('four') });
  });

  it('a removal drains one more, and the module can be loaded when one has closed', async () => {
    const node = host(limited(1));
    const [one, two] = await pushWithCalls(node, ['one', 'two']);
    expect(node.commit('demo', null)).toEqual({ status: 'ok' });
    expect(inFlight(node)).toEqual([1, 1]);
    expect(await node.tryPush({ demo: version('three') })).toMatchObject({ reason: 'not_purged' });
    for (const call of [one, two]) call?.open();
    await Promise.all([one?.value, two?.value]);
    await node.push({ demo: version('three') });
  });

  /** A node on which as many versions drain as can, and the next revision, which is prepared. */
  async function fullNode() {
    const node = host(limited(2));
    const calls = await pushWithCalls(node, ['one', 'two', 'three']);
    const [four] = await node.compile({ demo: version('four') });
    if (four === undefined) throw new Error('not compiled');
    node.server.prepare(four);
    return { node, calls, next: four.revision, outcomes: Promise.allSettled(calls.map(({ value }) => value)) };
  }

  it('a head that makes room purges only the oldest, as many as it needs, and is not refused', async () => {
    const { node, calls, next, outcomes } = await fullNode();
    const current = node.server.current('demo')?.revision ?? '';
    expect(node.server.commit([{ ...headOf('demo', current, 98), makeRoom: true }])).toEqual({ status: 'ok' });
    expect(ended).toEqual([]);
    expect(node.server.commit([{ ...headOf('demo', next, 99), makeRoom: true }])).toEqual({ status: 'ok' });
    expect(ended).toEqual(['one']);
    for (const call of calls) call.open();
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  });

  it('a set that makes room purges no version for the place of another that was held only by a call which fails', async () => {
    const node = host(limited(2));
    const caller = (name: string): string =>
      `import { wait } from 'hot:demo'; export const ask = async (opened: Promise<void>) => { await opened; return [wait, '${name}'][1]; };`;
    await node.push({ demo: version('one'), caller: caller('one') });
    const { opened, open } = latch();
    const [first, kept] = [node.call('caller', 'ask', opened), node.value('demo', 'wait', opened)];
    for (const name of ['two', 'three']) await node.push({ demo: version(name) });
    await node.push({ caller: caller('two') });
    const second = node.value('caller', 'ask', opened);
    await node.push({ caller: caller('three') });
    expect(inFlight(node)).toEqual([2, 1, 1, 1]);
    const prepared = await node.compile({ demo: version('four'), caller: caller('four') });
    for (const bundle of prepared) node.server.prepare(bundle);
    const heads = prepared.map(({ module, revision }) => ({ ...headOf(module, revision, 99), makeRoom: true }));
    expect(node.server.commit(heads.toSorted((a, b) => a.module.localeCompare(b.module)))).toEqual({ status: 'ok' });
    open();
    expect(await first).toMatchObject({ type: 'purged' });
    expect(await kept).toMatchObject(['one', {}]);
    expect(await second).toBe('two');
    expect(inFlight(node)).toEqual([]);
  });

  it('a forced load purges all of them first, and their calls fail', async () => {
    const { node, calls, next, outcomes } = await fullNode();
    expect(node.server.commit([{ ...headOf('demo', next, 99), force: true }])).toEqual({ status: 'ok' });
    expect(ended).toEqual(['one', 'two']);
    calls[2]?.open();
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  });
});

describe('waitForRoom', () => {
  /** A node on which as many versions drain as can. */
  async function full() {
    const node = host(limited(2));
    const calls = await pushWithCalls(node, ['one', 'two', 'three']);
    const hasRoom = vi.fn<() => void>();
    return { node, calls, hasRoom, waited: node.server.waitForRoom('demo', 1_000).then(hasRoom) };
  }

  it('waits until any of them has closed', async () => {
    const { calls, hasRoom, waited } = await full();
    await vi.advanceTimersByTimeAsync(900);
    expect(hasRoom).not.toHaveBeenCalled();
    calls[1]?.open();
    await waited;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits for a purge, and no longer than its timeout', async () => {
    const { node, calls, hasRoom, waited } = await full();
    const outcomes = Promise.allSettled(calls.map(({ value }) => value));
    await vi.advanceTimersByTimeAsync(1_000);
    await waited;
    expect(hasRoom).toHaveBeenCalledOnce();
    const again = node.server.waitForRoom('demo', 1_000);
    node.server.purge('demo');
    await again;
    calls[2]?.open();
    await outcomes;
  });
});

describe('memory', () => {
  it('is checked before a load only while something drains, and names the oldest of all modules', async () => {
    const memoryExcess = vi.fn<() => string>(() => 'the node holds 400 MB, more than 70 % of its limit of 512 MB');
    const node = host(limited(8, memoryExcess));
    const [bundle] = await node.push({ demo: version('one'), other: version('other') });
    if (bundle === undefined) throw new Error('not compiled');
    expect(node.server.checkLoad(bundle)).toBeNull();
    expect(memoryExcess).not.toHaveBeenCalled();
    void node.call('other', 'wait', new Promise(() => undefined));
    // A node that was away follows its heads; only a push is refused.
    const [other] = await node.push({ other: version('another') });
    await node.push({ demo: version('two') });
    expect(node.server.checkLoad(bundle)).toMatchObject({
      reason: 'not_purged',
      detail: expect.stringMatching(
        /^versions drain, and the node holds 400 MB, .*; the oldest, other@.* held by other\.wait /,
      ) as string,
    });
    expect(other?.module).toBe('other');
  });
});
