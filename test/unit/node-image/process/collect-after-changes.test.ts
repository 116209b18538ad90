import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { collectAfterChanges } from '../../../../node-image/src/process/collect-after-changes.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const MB = 2 ** 20;

/** A node whose heap has 10 MB after each full collection, and of what was added a fifth more after one of what is young. */
function begin() {
  const heap = { old: 10 * MB, young: 0 };
  const collect = vi.fn<(kind?: 'major' | 'minor') => void>(kind => {
    heap.old = kind === 'minor' ? heap.old + heap.young / 5 : 10 * MB;
    heap.young = 0;
  });
  const collector = collectAfterChanges(collect, () => heap.old + heap.young);
  /** A change that leaves so many MB, and the pause after it: which collections there were. */
  const change = (mb: number): unknown[] => {
    heap.young += mb * MB;
    collect.mockClear();
    collector.changed();
    expect(collect).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_200);
    return collect.mock.calls.flat();
  };
  return { heap, collect, collector, change };
}

it('what is young is collected after a change, when it is worth it', () => {
  const { change } = begin();
  expect([change(1), change(1), change(1)]).toEqual([[], [], ['minor']]);
  expect([change(2), change(1)]).toEqual([[], ['minor']]);
});

it('everything is collected when what that leaves is worth it', () => {
  const { change } = begin();
  expect(change(20)).toEqual(['minor']);
  // Four MB are left of those, and one of these.
  expect(change(5)).toEqual(['minor', 'major']);
  expect(change(20)).toEqual(['minor']);
});

it('after small changes, some are not looked at', () => {
  const { change } = begin();
  expect(change(0.1)).toEqual([]);
  for (let count = 0; count < 4; count += 1) expect(change(1)).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
  expect(change(1)).toEqual(['minor']);
});

it('many changes are one collection, and none comes without a change', () => {
  const { heap, collect, collector } = begin();
  heap.young = 20 * MB;
  vi.advanceTimersByTime(60_000);
  expect(collect).not.toHaveBeenCalled();
  for (let count = 0; count < 10; count += 1) collector.changed();
  vi.advanceTimersByTime(60_000);
  expect(collect).toHaveBeenCalledOnce();
});

it('a large heap is left to V8, and what that has collected counts', () => {
  const { heap, change } = begin();
  expect(change(60)).toEqual([]);
  Object.assign(heap, { old: 6 * MB, young: 0 });
  expect(change(0)).toEqual([]);
  for (let count = 0; count < 4; count += 1) expect(change(1)).toEqual([]);
  expect(change(1)).toEqual(['minor']);
});

it('nothing is collected after the end', () => {
  const { heap, collect, collector } = begin();
  heap.young = 20 * MB;
  collector.changed();
  collector[Symbol.dispose]();
  vi.advanceTimersByTime(60_000);
  expect(collect).not.toHaveBeenCalled();
});
