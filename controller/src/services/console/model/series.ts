import type { NodeDescription } from '../../../../../protocol/messages.ts';

/** One value is of so long (milliseconds). */
export const BUCKET_MS = 5_000;

/** So many values are kept: ten minutes. */
export const BUCKETS = 120;

/** What is drawn of the last minutes, a value for each {@link BUCKET_MS}, oldest first; null: nothing was heard. */
export interface Series {
  /** When the last bucket began. */
  readonly at: number;
  /** Calls and requests that ended. */
  readonly calls: readonly (number | null)[];
  /** Those of them that failed. */
  readonly errors: readonly (number | null)[];
  /** The largest delay of an event loop, milliseconds. */
  readonly loopDelay: readonly (number | null)[];
  /** The mean memory of a node, bytes. */
  readonly memory: readonly (number | null)[];
}

const EMPTY: readonly (number | null)[] = Array.from({ length: BUCKETS }, () => null);

export function emptySeries(at: number): Series {
  return { at, calls: EMPTY, errors: EMPTY, loopDelay: EMPTY, memory: EMPTY };
}

/** What two descriptions of a node differ in. */
export interface Delta {
  readonly calls: number;
  readonly errors: number;
}

/** The calls that have ended between two descriptions of a node. The counts begin anew with a revision and with a process. */
export function deltaOf(before: NodeDescription | null, after: NodeDescription): Delta {
  let [calls, errors] = [0, 0];
  for (const [module, now] of Object.entries(after.modules)) {
    const then = before?.startedAt === after.startedAt ? before.modules[module] : undefined;
    const isSame = then?.revision === now.revision && then.calls <= now.calls;
    // What a node did before the console first heard it is not of now.
    if (before === null) continue;
    calls += now.calls - (isSame ? then.calls : 0);
    errors += now.errors - (isSame ? Math.min(then.errors, now.errors) : 0);
  }
  return { calls, errors };
}

/** Moves the series on to a moment. */
export function advance(series: Series, at: number): Series {
  const steps = Math.min(BUCKETS, Math.floor((at - series.at) / BUCKET_MS));
  if (steps <= 0) return series;
  const shift = (values: readonly (number | null)[]): readonly (number | null)[] => [
    ...values.slice(steps),
    ...Array.from({ length: steps }, () => null),
  ];
  return {
    at: series.at + Math.floor((at - series.at) / BUCKET_MS) * BUCKET_MS,
    calls: shift(series.calls),
    errors: shift(series.errors),
    loopDelay: shift(series.loopDelay),
    memory: shift(series.memory),
  };
}

/** Adds what a node said. */
export function record(series: Series, { calls, errors }: Delta, loopDelay: number): Series {
  return {
    ...series,
    calls: withLast(series.calls, last => (last ?? 0) + calls),
    errors: withLast(series.errors, last => (last ?? 0) + errors),
    loopDelay: withLast(series.loopDelay, last => Math.max(last ?? 0, loopDelay)),
  };
}

/** With the mean memory of all nodes now; null: there are none. */
export function withMemory(series: Series, memory: number | null): Series {
  return { ...series, memory: withLast(series.memory, () => memory) };
}

function withLast(
  values: readonly (number | null)[],
  change: (last: number | null) => number | null,
): readonly (number | null)[] {
  return [...values.slice(0, -1), change(values.at(-1) ?? null)];
}
