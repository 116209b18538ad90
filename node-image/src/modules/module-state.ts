import { KeptValues } from './state/kept-values.ts';
import type { Prepared } from './loader.ts';
import { OK, type LoadResult } from './load-result.ts';
import { changesInPlace } from './state/state-migration.ts';
import { emptySlots, type Slots } from './version-slots.ts';
import type { Version } from './version.ts';

/**
 * How long the data before a `codeChange` is kept (milliseconds) if no digest says that no node can refuse any more: three times
 * as long as a push waits for its nodes by default.
 */
const PREVIOUS_DATA_MS = 15_000;

/** The state of one module on this node. */
export interface ModuleState {
  slots: Slots<Version>;
  /** The compiled revisions, the newest last. */
  readonly compiled: Map<string, Prepared>;
  /** `import.meta.hot.data`: survives every version, and is replaced only by a `codeChange` or cleared. */
  data: Record<string, unknown>;
  /** What its versions have made with `import.meta.hot.keep`. */
  readonly kept: KeptValues;
  /** The sequence of the head that cleared the data last, 0 for none. */
  stateSince: number;
  /** The data before the last `codeChange`, and its revision. It is kept while another node can refuse. */
  previous: {
    readonly revision: string;
    readonly data: Record<string, unknown>;
    readonly timer: NodeJS.Timeout;
  } | null;
  /** The sequence of the newest head that this node has seen, 0 for none, and the result of its commit. */
  headSeen: number;
  headResult: LoadResult;
  /** The sequence of the head that activated the current version; 0 when it was loaded on this node alone. */
  headRunning: number;
}

/** The state of a module of which nothing is loaded yet. */
export function emptyModule(): ModuleState {
  return {
    slots: emptySlots(),
    compiled: new Map(),
    data: {},
    kept: new KeptValues(),
    stateSince: 0,
    previous: null,
    headSeen: 0,
    headResult: OK,
    headRunning: 0,
  };
}

/**
 * Gives a module the data of its next version. Other data than before comes from a change: the previous data is kept for a while,
 * unless it was changed in place.
 */
export function setData(state: ModuleState, { data, bundle }: Version): void {
  const { current } = state.slots;
  dropPreviousData(state);
  if (data !== state.data && current !== null && !changesInPlace({ bundle })) {
    const timer = setTimeout(() => dropPreviousData(state), PREVIOUS_DATA_MS).unref();
    state.previous = { revision: current.revision, data: state.data, timer };
  }
  state.data = data;
}

/** Clears the data, now that a head which asks for it is applied: all that stays is what the current version was given instead. */
export function clearData(state: ModuleState, stateSince: number): void {
  dropPreviousData(state);
  state.data = state.slots.current?.data ?? {};
  state.stateSince = stateSince;
}

export function dropPreviousData(state: ModuleState): void {
  clearTimeout(state.previous?.timer);
  state.previous = null;
}
