import type { NodeDescription } from '../../../../../protocol/messages.ts';

/** One value is of so long (milliseconds). */
export const BUCKET_MS = 5_000;

/** So many values are kept: ten minutes. */
export const BUCKETS = 120;

/** The errors of so many revisions are drawn at most: what a node says of itself must not fill the page. */
const MAX_REVISIONS = 12;

/** A value for each {@link BUCKET_MS}, oldest first; null: nothing was heard. */
export type Values = readonly (number | null)[];

/** What is drawn of the last minutes. */
export interface Series {
  /** When the last bucket began. */
  readonly at: number;
  /** Calls that ended, without requests. */
  readonly calls: Values;
  /** HTTP requests that ended. */
  readonly requests: Values;
  /** Those of both that failed. */
  readonly errors: Values;
  /** The errors of each revision that had some, by `demo@<revision>`. */
  readonly errorsBy: ReadonlyMap<string, Values>;
  /** The largest delay of an event loop, milliseconds. */
  readonly loopDelay: Values;
  /** The mean memory of a node, bytes. */
  readonly memory: Values;
}

const EMPTY: Values = Array.from({ length: BUCKETS }, () => null);

export function emptySeries(at: number): Series {
  return {
    at,
    calls: EMPTY,
    requests: EMPTY,
    errors: EMPTY,
    errorsBy: new Map(),
    loopDelay: EMPTY,
    memory: EMPTY,
  };
}

/** What two descriptions of a node differ in. */
export interface Delta {
  readonly calls: number;
  readonly requests: number;
  readonly errors: number;
  /** The errors of each revision that had some, by `demo@<revision>`. */
  readonly errorsBy: readonly (readonly [name: string, errors: number])[];
}

/** The calls that have ended between two descriptions of a node. The counts begin anew with a revision and with a process. */
export function deltaOf(before: NodeDescription | null, after: NodeDescription): Delta {
  let [calls, requests, errors] = [0, 0, 0];
  const errorsBy: [string, number][] = [];
  // What a node did before the console first heard it is not of now.
  if (before === null) return { calls, requests, errors, errorsBy };
  for (const [module, now] of Object.entries(after.modules)) {
    const then = before.startedAt === after.startedAt ? before.modules[module] : undefined;
    const isSame = then?.revision === now.revision && then.calls <= now.calls;
    const failed = now.errors - (isSame ? Math.min(then.errors, now.errors) : 0);
    const ofHttp = Math.max(0, (now.requests ?? 0) - (isSame ? (then.requests ?? 0) : 0));
    calls += Math.max(0, now.calls - (isSame ? then.calls : 0) - ofHttp);
    requests += ofHttp;
    errors += failed;
    if (failed > 0) errorsBy.push([`${module}@${now.revision}`, failed]);
  }
  return { calls, requests, errors, errorsBy };
}

/** Moves the series on to a moment. */
export function advance(series: Series, at: number): Series {
  const steps = Math.min(BUCKETS, Math.floor((at - series.at) / BUCKET_MS));
  if (steps <= 0) return series;
  const shift = (values: Values): Values => [...values.slice(steps), ...Array.from({ length: steps }, () => null)];
  const shifted = [...series.errorsBy].map(([name, values]) => [name, shift(values)] as const);
  return {
    at: series.at + Math.floor((at - series.at) / BUCKET_MS) * BUCKET_MS,
    calls: shift(series.calls),
    requests: shift(series.requests),
    errors: shift(series.errors),
    errorsBy: new Map(shifted.filter(([, values]) => values.some(value => value !== null))),
    loopDelay: shift(series.loopDelay),
    memory: shift(series.memory),
  };
}

/** Adds what a node said. */
export function record(series: Series, { calls, requests, errors, errorsBy }: Delta, loopDelay: number): Series {
  return {
    ...series,
    calls: withMore(series.calls, calls),
    requests: withMore(series.requests, requests),
    errors: withMore(series.errors, errors),
    errorsBy: withErrors(series.errorsBy, errorsBy),
    loopDelay: withLast(series.loopDelay, last => Math.max(last ?? 0, loopDelay)),
  };
}

function withErrors(known: Series['errorsBy'], added: Delta['errorsBy']): Series['errorsBy'] {
  if (added.length === 0) return known;
  const next = new Map(known);
  for (const [name, errors] of added)
    if (next.has(name) || next.size < MAX_REVISIONS) next.set(name, withMore(next.get(name) ?? EMPTY, errors));
  return next;
}

/** With the mean memory of all nodes now; null: there are none. */
export function withMemory(series: Series, memory: number | null): Series {
  return { ...series, memory: withLast(series.memory, () => memory) };
}

function withMore(values: Values, more: number): Values {
  return withLast(values, last => (last ?? 0) + more);
}

function withLast(values: Values, change: (last: number | null) => number | null): Values {
  return [...values.slice(0, -1), change(values.at(-1) ?? null)];
}

/** The sum of what was heard. */
export function totalOf(values: Values): number {
  return values.reduce((sum: number, value) => sum + (value ?? 0), 0);
}
