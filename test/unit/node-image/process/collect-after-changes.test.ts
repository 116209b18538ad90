import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { collectAfterChanges } from '../../../../node-image/src/process/collect-after-changes.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const MB = 2 ** 20;

/** A node whose heap has 10 MB after each collection. */
function begin() {
  const heap = { bytes: 10 * MB };
  const collect = vi.fn<() => void>(() => void (heap.bytes = 10 * MB));
  const collector = collectAfterChanges(collect, () => heap.bytes);
  /** A change that leaves so many MB, and the pause after it. */
  const change = (mb: number): void => {
    heap.bytes += mb * MB;
    collector.changed();
    expect(collect).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_200);
  };
  return { heap, collect, collector, change };
}

it('the garbage of a change is collected after it, when it is worth it', () => {
  const { collect, change } = begin();
  for (let count = 0; count < 4; count += 1) change(1);
  expect(collect).not.toHaveBeenCalled();
  change(1);
  expect(collect).toHaveBeenCalledOnce();
  collect.mockClear();
  change(4);
  expect(collect).not.toHaveBeenCalled();
  change(1);
  expect(collect).toHaveBeenCalledOnce();
});

it('after small changes, some are not looked at', () => {
  const { collect, change } = begin();
  change(0.1);
  for (let count = 0; count < 4; count += 1) change(1);
  expect(collect).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
  change(1);
  expect(collect).toHaveBeenCalledOnce();
});

it('many changes are one collection, and none comes without a change', () => {
  const { heap, collect, collector } = begin();
  heap.bytes += 20 * MB;
  vi.advanceTimersByTime(60_000);
  expect(collect).not.toHaveBeenCalled();
  for (let count = 0; count < 10; count += 1) collector.changed();
  vi.advanceTimersByTime(60_000);
  expect(collect).toHaveBeenCalledOnce();
});

it('a large heap is left to V8, and what that has collected counts', () => {
  const { heap, collect, change } = begin();
  change(60);
  expect(collect).not.toHaveBeenCalled();
  heap.bytes = 6 * MB;
  change(0);
  expect(collect).not.toHaveBeenCalled();
  for (let count = 0; count < 5; count += 1) change(1);
  expect(collect).toHaveBeenCalledOnce();
});

it('nothing is collected after the end', () => {
  const { heap, collect, collector } = begin();
  heap.bytes += 20 * MB;
  collector.changed();
  collector[Symbol.dispose]();
  vi.advanceTimersByTime(60_000);
  expect(collect).not.toHaveBeenCalled();
});
