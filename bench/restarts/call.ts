import { median, percentile } from '../runtime/numbers.ts';

/**
 * Why a call failed: no connection or one that broke; not answered in time; a status other than 200; an answer that is
 * not the function's; a version that no node should run any more.
 */
export type Failure = 'connection' | 'time-out' | 'status' | 'answer' | 'stale';

/** A call of a load that has ended. Times are milliseconds of `performance.now()`. */
export interface Call {
  /** When it was its turn, whether or not it was sent then. */
  readonly dueAt: number;
  readonly endedAt: number;
  readonly failure: Failure | null;
  /** What went wrong, in a line; empty when nothing did. */
  readonly detail: string;
}

/** What came of the calls that were due in a window. */
export interface CallFigures {
  /** Length of the window (seconds). */
  readonly seconds: number;
  readonly calls: number;
  readonly failed: number;
  /** How many failed in which way, each with what went wrong. */
  readonly failures: Readonly<Record<string, number>>;
  /** The longest time without any good answer (milliseconds). */
  readonly longestGap: number;
  /** From when a call was due to its good answer (milliseconds). */
  readonly p50: number;
  readonly p99: number;
}

/** The figures of the calls that were due in a window. */
export function callFigures(calls: readonly Call[], from: number, to: number): CallFigures {
  const due = calls.filter(({ dueAt }) => dueAt >= from && dueAt < to);
  const good = due.filter(({ failure }) => failure === null);
  const failures = new Map<string, number>();
  for (const { failure, detail } of due) {
    if (failure !== null) failures.set(`${failure}: ${detail}`, (failures.get(`${failure}: ${detail}`) ?? 0) + 1);
  }
  const latencies = good.map(({ dueAt, endedAt }) => endedAt - dueAt);
  return {
    seconds: (to - from) / 1_000,
    calls: due.length,
    failed: due.length - good.length,
    failures: Object.fromEntries(failures),
    longestGap: longestGap(calls, from, to),
    p50: median(latencies),
    p99: percentile(latencies, 0.99),
  };
}

/** The longest time within a window in which no call ended well (milliseconds). */
function longestGap(calls: readonly Call[], from: number, to: number): number {
  const ends = calls.filter(({ failure, endedAt }) => failure === null && endedAt > from && endedAt < to);
  const times = [from, ...ends.map(({ endedAt }) => endedAt), to].toSorted((a, b) => a - b);
  return Math.max(...times.slice(1).map((time, index) => time - (times[index] ?? from)));
}
