import { sum } from 'simple-statistics';

import { figuresOf } from '../stats.ts';
import type { Tally } from './tally.ts';

/** A call of a load that has ended. Times are milliseconds of `performance.now()`. */
export interface Call {
  /** When it was its turn, whether or not it was sent then. */
  readonly dueAt: number;
  readonly endedAt: number;
  /** Why it failed (`connection`, `timeout`, `status`, `answer` or `stale`: an old version) and details, else null. */
  readonly failure: string | null;
  /** The function's answer, if there was one. */
  readonly tally: Tally | null;
}

/** The calls that were due in a window, and their latencies from then to a good answer (milliseconds). */
export function callFigures(calls: readonly Call[], from: number, to: number) {
  const due = calls.filter(({ dueAt }) => dueAt >= from && dueAt < to);
  const failures: Record<string, number> = {};
  for (const { failure } of due) if (failure !== null) failures[failure] = (failures[failure] ?? 0) + 1;
  const good = due.filter(({ failure }) => failure === null);
  const { p50, p99 } = figuresOf(good.map(({ dueAt, endedAt }) => endedAt - dueAt));
  const failed = due.length - good.length;
  return { calls: due.length, failed, failures, longestGap: longestGap(calls, from, to), p50, p99 };
}

/** The longest time without a good answer (milliseconds). */
function longestGap(calls: readonly Call[], from: number, to: number): number {
  const ends = calls.filter(({ failure, endedAt }) => failure === null && endedAt > from && endedAt < to);
  const times = [from, ...ends.map(({ endedAt }) => endedAt), to].toSorted((a, b) => a - b);
  return Math.max(...times.slice(1).map((time, index) => time - (times[index] ?? from)));
}

/**
 * What became of the nodes' counters, from the answers to all calls of a load.
 *
 * @param orderedAt the time of the order; every node had answered before.
 * @param completedAt the end of the rollout; every node has answered since.
 * @param version the newest version.
 */
export function stateFigures(calls: readonly Call[], orderedAt: number, completedAt: number, version: number) {
  /** By node: the lowest or highest counter in the answers to some calls. */
  const counters = (pick: typeof Math.min, filter: (call: Call, tally: Tally) => boolean): Map<string, number> => {
    const all = new Map<string, number>();
    for (const call of calls) {
      if (call.tally === null || !filter(call, call.tally)) continue;
      const { node, count } = call.tally;
      all.set(node, pick(count, all.get(node) ?? count));
    }
    return all;
  };
  const atFirst = counters(Math.min, ({ endedAt }) => endedAt < orderedAt);
  const before = counters(Math.max, ({ endedAt }) => endedAt < orderedAt);
  const renewed = counters(Math.min, (_, tally) => tally.version >= version);
  const atEnd = counters(Math.max, ({ endedAt }) => endedAt > completedAt);
  const answered = calls.filter(({ tally }) => tally !== null).length;
  const earlier = sum([...atFirst.values()].map(count => count - 1));
  return {
    /** Nodes whose first counter of the version was not behind their last one before the order. */
    nodesKept: [...renewed].filter(([node, count]) => count > (before.get(node) ?? Infinity)).length,
    /** Answered calls that are in no counter at the end. */
    callsForgotten: Math.max(0, earlier + answered - sum([...atEnd.values()])),
  };
}
