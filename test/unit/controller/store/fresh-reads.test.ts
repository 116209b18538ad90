import type { StoredMsg } from '@nats-io/jetstream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createFreshReads, type FreshReads } from '../../../../controller/src/store/fresh-reads.ts';

const DEMO = 'hotcast.dino.head.demo';
const COUNTER = 'hotcast.dino.head.counter';
const HEADS = 'hotcast.dino.head.*';

const message = (subject: string, seq: number): StoredMsg => ({ subject, seq }) as StoredMsg;

/** Reads that give these answers one after the other, the last one again and again. */
function answering(...answers: readonly (readonly StoredMsg[])[]) {
  const left = [...answers];
  return vi.fn(async () => [...((left.length > 1 ? left.shift() : left[0]) ?? [])]);
}

/** The sequences that a read gives, however long it takes. */
async function sequences(fresh: FreshReads, filter: string, read: () => Promise<StoredMsg[]>): Promise<number[]> {
  const reading = fresh.read(filter, read);
  await vi.runAllTimersAsync();
  return (await reading).map(({ seq }) => seq);
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

describe('a read', () => {
  it('is not repeated when nothing is known of its subjects', async () => {
    const fresh = createFreshReads();
    fresh.note(COUNTER, 9);
    const read = answering([]);
    expect(await sequences(fresh, DEMO, read)).toEqual([]);
    expect(read).toHaveBeenCalledTimes(1);
  });

  it('is repeated until it has what this process has written', async () => {
    const fresh = createFreshReads();
    fresh.note(DEMO, 7);
    const read = answering([], [message(DEMO, 3)], [message(DEMO, 3), message(DEMO, 7)]);
    expect(await sequences(fresh, DEMO, read)).toEqual([3, 7]);
    expect(read).toHaveBeenCalledTimes(3);
  });

  it('is repeated until it has what was read before, and takes what is newer', async () => {
    const fresh = createFreshReads();
    expect(await sequences(fresh, HEADS, answering([message(DEMO, 7), message(COUNTER, 8)]))).toEqual([7, 8]);
    const read = answering([message(DEMO, 7)], [message(DEMO, 7), message(COUNTER, 9)]);
    expect(await sequences(fresh, HEADS, read)).toEqual([7, 9]);
    expect(await sequences(fresh, COUNTER, answering([message(COUNTER, 8)], [message(COUNTER, 9)]))).toEqual([9]);
  });

  it('does not wait for what was removed', async () => {
    const fresh = createFreshReads();
    for (const subject of [DEMO, COUNTER]) fresh.note(subject, 7);
    fresh.forget(HEADS);
    const read = answering([]);
    expect(await sequences(fresh, HEADS, read)).toEqual([]);
    expect(read).toHaveBeenCalledTimes(1);
  });

  it('takes after a second what there is, as of a stream that was lost, and does not wait for it again', async () => {
    const fresh = createFreshReads();
    fresh.note(DEMO, 70);
    const read = answering([message(DEMO, 3)]);
    const startedAt = performance.now();
    expect(await sequences(fresh, DEMO, read)).toEqual([3]);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(1_000);
    expect(performance.now() - startedAt).toBeLessThan(1_200);
    read.mockClear();
    expect(await sequences(fresh, DEMO, read)).toEqual([3]);
    expect(read).toHaveBeenCalledTimes(1);
  });

  it('does not take for lost what was written while it took long', async () => {
    const fresh = createFreshReads();
    fresh.note(DEMO, 7);
    const read = vi.fn(async () => {
      await new Promise(resolve => setTimeout(resolve, 1_500));
      fresh.note(DEMO, 8);
      fresh.note(COUNTER, 9);
      return [message(DEMO, 7)];
    });
    expect(await sequences(fresh, HEADS, read)).toEqual([7]);
    const later = answering([message(DEMO, 7)], [message(DEMO, 8)], [message(DEMO, 8), message(COUNTER, 9)]);
    expect(await sequences(fresh, HEADS, later)).toEqual([8, 9]);
  });

  it('fails as soon as a reading fails', async () => {
    const fresh = createFreshReads();
    fresh.note(DEMO, 7);
    await expect(fresh.read(DEMO, () => Promise.reject(new Error('no route')))).rejects.toThrow('no route');
  });
});
