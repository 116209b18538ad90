import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { collectGarbage } from '../../../../../shared/collect-garbage.ts';
import { type Host, hosts } from '../host.ts';

const host = hosts();

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] }));
afterEach(() => void vi.useRealTimers());

/** Counts in `data.count`. */
const FLAT = `
  const { data } = import.meta.hot;
  data['count'] ??= 1;
  export const seen = (): unknown => data;
`;

/** Counts in `data.counts.total`; what else it exports is given. */
const nested = (codeChange: string): string => `
  const { data } = import.meta.hot;
  export const seen = (): unknown => data;
  ${codeChange}
`;

const NESTED = nested(`
  export const codeChange = (old: { count: number }, from: string) => ({ counts: { total: old.count }, from });
`);

describe('codeChange', () => {
  it('converts the data of the previous version, and gets its revision', async () => {
    const node = host();
    const [flat] = await node.push({ counter: FLAT });
    await node.push({ counter: NESTED });
    expect(await node.value('counter', 'seen')).toEqual({ counts: { total: 1 }, from: flat?.revision });
  });

  it('gets a deep copy', async () => {
    const node = host();
    await node.push({ counter: `${FLAT} data['list'] = [[1]];` });
    const before = node.server.current('counter')?.data;
    await node.push({
      counter: nested(
        `export const codeChange = (old: { list: number[][] }) => { old.list[0]?.push(2); return old; };`,
      ),
    });
    expect(await node.value('counter', 'seen')).toEqual({ count: 1, list: [[1, 2]] });
    expect(before).toEqual({ count: 1, list: [[1]] });
  });

  it('is called in a rollback too, on the version that comes back', async () => {
    const node = host();
    const back = `export const codeChange = (data: { counts?: { total: number } }, from: string) =>
      ({ count: data.counts?.total ?? 0, from });`;
    const [flat] = await node.push({ counter: FLAT + back });
    const [next] = await node.push({ counter: NESTED });
    expect(node.commit('counter', flat?.revision ?? '')).toEqual({ status: 'ok' });
    expect(await node.value('counter', 'seen')).toEqual({ count: 1, from: next?.revision });
  });

  it('is not called in a rollback from a version that another node refused: the data is restored', async () => {
    const node = host();
    const [flat] = await node.push({
      counter: `${FLAT} export const codeChange = () => { throw new Error('no way'); };`,
    });
    const before = node.server.current('counter')?.data;
    await node.push({ counter: NESTED });
    expect(node.revert('counter', flat?.revision ?? '')).toEqual({ status: 'ok' });
    expect(node.server.current('counter')?.data).toBe(before);
    expect(before).toEqual({ count: 1 });
  });

  it('is called in a rollback 15 seconds later, when the previous data is not kept any more', async () => {
    const node = host();
    const [flat] = await node.push({ counter: `${FLAT} export const codeChange = () => ({ count: 7 });` });
    await node.push({ counter: NESTED });
    await vi.advanceTimersByTimeAsync(15_000);
    expect(node.revert('counter', flat?.revision ?? '')).toEqual({ status: 'ok' });
    expect(await node.value('counter', 'seen')).toEqual({ count: 7 });
  });

  it('is not called when there was no previous version', async () => {
    const node = host();
    await node.push({ counter: nested(`export const codeChange = () => { throw new Error('no'); };`) });
    expect(await node.value('counter', 'seen')).toEqual({});
  });

  it('is not needed: without it the data stays the same object', async () => {
    const node = host();
    await node.push({ counter: FLAT });
    const before = node.server.current('counter')?.data;
    await node.push({ counter: `${FLAT} data['more'] = 2;` });
    expect(node.server.current('counter')?.data).toBe(before);
    expect(await node.value('counter', 'seen')).toEqual({ count: 1, more: 2 });
  });

  it('changes the data for code that read it before', async () => {
    const node = host();
    await node.push({ counter: FLAT });
    await node.push({
      counter: `const kept = import.meta.hot.data; export const seen = (): unknown => kept;
        export const codeChange = () => ({ changed: true });`,
    });
    expect(await node.value('counter', 'seen')).toEqual({ changed: true });
  });

  describe.each([
    ['throws', `() => { throw new RangeError('not today'); }`, 'RangeError: not today'],
    ['spoils its copy and throws', `(data: any) => { data.count = 99; throw new Error('no'); }`, 'Error: no'],
    ['returns nothing', '() => {}', 'TypeError: codeChange must return the new data, a plain object'],
    ['returns null', '() => null', 'TypeError: codeChange must return the new data, a plain object'],
    ['returns an array', '() => []', 'TypeError: codeChange must return the new data, a plain object'],
    ['returns a Map', '() => new Map()', 'TypeError: codeChange must return the new data, a plain object'],
    ['is asynchronous', 'async () => ({})', 'TypeError: codeChange must return the new data, a plain object'],
    ['is no function', '7', 'TypeError: codeChange is not a function'],
  ])('that %s', (_, codeChange, detail) => {
    it('refuses the version, and does not change the old one and its data', async () => {
      const node = host();
      const [flat] = await node.push({ counter: FLAT });
      const before = node.server.current('counter')?.data;
      const spoiling = `setInterval(() => {}, 50); export const codeChange = ${codeChange};`;
      expect(await node.tryPush({ counter: nested(spoiling) })).toEqual({
        status: 'refused',
        reason: 'on_load_failure',
        detail,
      });
      expect(node.server.current('counter')).toMatchObject({ revision: flat?.revision });
      expect(node.server.current('counter')?.data).toBe(before);
      expect(await node.value('counter', 'seen')).toEqual({ count: 1 });
      expect(vi.getTimerCount()).toBe(0);
    });
  });

  it('gets what is no plain data as it is', async () => {
    const node = host();
    await node.push({
      counter: `${FLAT} data['server'] = () => 1; data['emitter'] = new (class Emitter { x = 1; })();`,
    });
    const before = { ...node.server.current('counter')?.data };
    await node.push({ counter: nested('export const codeChange = (old: object) => ({ ...old });') });
    expect(node.server.current('counter')?.data).toEqual(before);
    expect(node.server.current('counter')?.data['server']).toBe(before['server']);
    expect(node.server.current('counter')?.data['emitter']).toBe(before['emitter']);
  });

  describe('the data before it', () => {
    const change = (n: number, more = ''): string =>
      nested(`export const codeChange = (old: object) => { ${more}; return { ...old, n: ${n} }; };`);

    /** Pushes a change; returns a value of the data before it, which can be collected. */
    const changed = async (node: Host): Promise<WeakRef<object>> => {
      await node.push({ counter: `${FLAT} data['big'] = {};` });
      const before = new WeakRef(node.server.current('counter')?.data['big'] as object);
      await node.push({ counter: change(1) });
      return before;
    };
    const isCollected = async (before: WeakRef<object>): Promise<boolean> => {
      for (let turn = 0; turn < 3; turn += 1) {
        await new Promise(resolve => setImmediate(resolve));
        collectGarbage();
      }
      return before.deref() === undefined;
    };

    it('is kept until no node can refuse the head any more', async () => {
      const node = host();
      const before = await changed(node);
      const heads = { counter: 2 };
      for (const digest of [{ heads }, { heads, revertible: ['counter'] }, { heads: { counter: 1 }, revertible: [] }]) {
        node.server.dropUnneededData(digest);
      }
      expect(await isCollected(before)).toBe(false);
      node.server.dropUnneededData({ heads, revertible: [] });
      expect(await isCollected(before)).toBe(true);
    });

    it('is let go by the next push before that makes its copy', async () => {
      const node = host();
      const before = await changed(node);
      await new Promise(resolve => setImmediate(resolve));
      Object.assign(globalThis, { __isCollected: () => (collectGarbage(), before.deref() === undefined) });
      await node.push({
        counter: change(2, 'Object.assign(old, { collected: Reflect.get(globalThis, "__isCollected")() })'),
      });
      expect(node.server.current('counter')?.data).toMatchObject({ collected: true, n: 2 });
      Reflect.deleteProperty(globalThis, '__isCollected');
    });

    it('is let go when the node stops, and leaves no timer', async () => {
      const node = host();
      await changed(node);
      expect(vi.getTimerCount()).toBe(1);
      await node.server.stop(0);
      expect(vi.getTimerCount()).toBe(0);
    });

    it('is not kept when the version is loaded on one node alone, which nothing reverts', async () => {
      const node = host();
      await node.push({ counter: `${FLAT} data['big'] = {};` });
      const before = new WeakRef(node.server.current('counter')?.data['big'] as object);
      const [next] = await node.compile({ counter: change(1) });
      if (next === undefined) throw new Error('nothing was compiled');
      node.server.prepare(next);
      expect(node.server.loadHere(next)).toEqual({ status: 'ok' });
      expect(await isCollected(before)).toBe(true);
    });
  });

  it.each([
    ['before it', ['other', 'counter']],
    ['after it', ['counter', 'other']],
  ])('has its result taken only if all of a set loads: one fails %s', async (_, names) => {
    const node = host();
    await node.push({ counter: FLAT });
    const before = node.server.current('counter')?.data;
    const sources: Record<string, string> = { counter: NESTED, other: `export const x = 1; throw new Error('no');` };
    const outcome = await node.tryPush(Object.fromEntries(names.map(name => [name, sources[name] ?? ''])));
    expect(outcome).toMatchObject({ status: 'refused', detail: 'Error: no' });
    expect(node.server.current('counter')?.data).toBe(before);
    expect(await node.value('counter', 'seen')).toEqual({ count: 1 });
  });
});

describe('codeChangeInPlace', () => {
  const inPlace = (body: string): string =>
    nested(`export const codeChangeInPlace = (data: Record<string, unknown>, from: string) => ${body};`);

  it('gets the data itself', async () => {
    const node = host();
    await node.push({ counter: `${FLAT} data['big'] = [1];` });
    const big = node.server.current('counter')?.data['big'];
    await node.push({ counter: inPlace('({ list: data.big })') });
    expect(node.server.current('counter')?.data['list']).toBe(big);
  });

  it('copies nothing of big data', async () => {
    const node = host();
    const megabytes = 2 ** 20;
    await node.push({ counter: `${FLAT} data['big'] = new Uint8Array(${16 * megabytes});` });
    const probe = { __buffers: () => process.memoryUsage().arrayBuffers };
    Object.assign(globalThis, probe);
    const before = probe.__buffers();
    await node.push({ counter: inPlace(`({ ...data, buffers: Reflect.get(globalThis, '__buffers')() })`) });
    const { buffers } = node.server.current('counter')?.data ?? {};
    expect(Number(buffers) - before).toBeLessThan(megabytes);
    Reflect.deleteProperty(globalThis, '__buffers');
  });

  it('that throws leaves the keys as they were, and what it has changed inside of their values', async () => {
    const node = host();
    await node.push({ counter: `${FLAT} data['list'] = [1];` });
    const failing = inPlace(`{ (data['list'] as number[]).push(2); data['more'] = 1; throw new Error('no'); }`);
    expect(await node.tryPush({ counter: failing })).toMatchObject({ reason: 'on_load_failure' });
    expect(node.server.current('counter')?.data).toEqual({ count: 1, list: [1, 2] });
  });

  it('has no data to restore: a revert calls the older version', async () => {
    const node = host();
    const back = `export const codeChange = (data: { list: number[] }) => ({ count: data.list.length });`;
    const [flat] = await node.push({ counter: FLAT + back });
    await node.push({ counter: inPlace('({ list: [1, 2, 3] })') });
    expect(node.revert('counter', flat?.revision ?? '')).toEqual({ status: 'ok' });
    expect(await node.value('counter', 'seen')).toEqual({ count: 3 });
  });
});
