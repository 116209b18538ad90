import { count, goal, section, table } from '../table.ts';
import type { CallCost, CallCosts } from './calls.ts';
import { type MemorySample, SWAPS } from './memory.ts';
import { mebibytes, median, percentile } from './numbers.ts';
import type { SwapTimes } from './speed.ts';

/** Activation of a 100 KB module blocks the event loop for less than this (milliseconds). */
const MAY_BLOCK = 0.5;

/** A hot call costs at most so many plain ones. */
const MAY_COST = 2;

/** What is flat is in the second half of the swaps at most so much larger than in the first (medians). */
const FLAT = 0.2;

export function memoryTable(hotcast: readonly MemorySample[], imported: readonly MemorySample[]): string {
  const cells = (sample: MemorySample | undefined): string[] =>
    sample === undefined ? ['-', '-', '-'] : [mebibytes(sample.heap), mebibytes(sample.rss), count(sample.collected)];
  const swaps = [...new Set([...hotcast, ...imported].map(each => each.swaps))].toSorted((a, b) => a - b);
  const rows = swaps.map(at => {
    const [own, other] = [hotcast, imported].map(samples => samples.find(sample => sample.swaps === at));
    return [count(at), ...cells(own), ...cells(other)];
  });
  const last = hotcast.at(-1);
  const isFlat = (of: (sample: MemorySample) => number): boolean => {
    const [early, late] = [false, true].map(isLate =>
      hotcast.filter(each => each.swaps > SWAPS / 2 === isLate).map(of),
    );
    return last?.swaps === SWAPS && median(late ?? []) <= median(early ?? []) * (1 + FLAT);
  };
  return section('Memory: swaps of a 100 KB module that holds 1 MiB (MiB after a full collection)', [
    table([['swaps', 'heap', 'rss', 'collected', 'import(?v=) heap', 'rss', 'collected'], ...rows]),
    goal(
      isFlat(({ heap }) => heap),
      `the heap is flat over ${count(SWAPS)} swaps`,
    ),
    goal(
      isFlat(({ rss }) => rss),
      `the resident memory is flat over ${count(SWAPS)} swaps`,
    ),
    // The current version is still there, and what was let go in the last turn.
    goal((last?.collected ?? 0) >= SWAPS - 2, 'every old version was collected'),
    stopped(imported.at(-1)),
  ]);
}

function stopped(last: MemorySample | undefined): string {
  if (last === undefined || last.swaps === SWAPS) return `  import('?v=') reached ${count(SWAPS)} swaps`;
  return `  import('?v=') was stopped after ${count(last.swaps)} swaps, at ${mebibytes(last.rss)} MiB`;
}

export function speedTable(all: readonly SwapTimes[]): string {
  const rows = all.map(times => [
    `${times.kilobytes} KB`,
    times.cached ? 'yes' : 'no',
    mebibytes(times.packed * 1024),
    ...[times.make, times.prepare, times.activate, times.blocked].flatMap(values => [
      percentile(values, 0.5).toFixed(2),
      percentile(values, 0.99).toFixed(2),
    ]),
  ]);
  const heads = ['make cache', 'prepare', 'activate', 'loop blocked'].flatMap(name => [name, 'p99']);
  const blocked = median(all.find(({ kilobytes, cached }) => kilobytes === 100 && cached)?.blocked ?? []);
  return section('Speed of a swap (milliseconds, p50 and p99)', [
    table([['code', 'cache', 'packed KB', ...heads], ...rows]),
    goal(blocked < MAY_BLOCK, `activating 100 KB blocks the loop for ${blocked.toFixed(2)} ms, less than ${MAY_BLOCK}`),
  ]);
}

export function callsTable({ called, inlinedAtFirst, inlinedAfter, first }: CallCosts): string {
  const row = (name: string, cost: CallCost): string[] => [
    name,
    cost.plain.toFixed(1),
    cost.hot.toFixed(1),
    cost.proxy.toFixed(1),
    `${(cost.hot / cost.plain).toFixed(2)}×`,
    `${(cost.proxy / cost.plain).toFixed(2)}×`,
  ];
  const ratio = called.hot / called.plain;
  return section('A call (medians, nanoseconds)', [
    table([
      ['', 'plain', 'hot:', 'Proxy', 'hot:/plain', 'Proxy/plain'],
      row('after many swaps', called),
      row('the first 1,000 calls after a swap', first),
      row('x + y, inlined, before the first swap', inlinedAtFirst),
      row('x + y, inlined where it is plain, after many', inlinedAfter),
    ]),
    goal(ratio <= MAY_COST, `a hot: call costs ${ratio.toFixed(2)} plain calls, at most ${MAY_COST}`),
    '  V8 puts the body of a small function in the place of its call as long as the function never changed; then there is',
    '  no call to compare with. After a swap it calls it, as it does any variable that has held another function.',
  ]);
}
