import { OK, type LoadResult } from './load-result.ts';
import { emptySlots, type Slots } from './version-slots.ts';
import type { Prepared, Version } from './version.ts';

/** How long the data before a `codeChange` is kept: longer than any push waits for its nodes (milliseconds). */
const KEPT_BEFORE = 60_000;

/** All that a node has of one module. */
export interface ModuleState {
  slots: Slots<Version>;
  /** By revision, the newest last. */
  readonly compiled: Map<string, Prepared>;
  /** `import.meta.hot.data`: outlives every version, and is replaced only by a `codeChange`. */
  data: Record<string, unknown>;
  /** The data before the last `codeChange`, and whose it was: kept for a while, should another node refuse. */
  before: { readonly revision: string; readonly data: Record<string, unknown> } | null;
  /** The sequence of the newest head that was seen, 0 for none, and what this node made of it. */
  headSeen: number;
  verdict: LoadResult;
  /** The sequence of the head that put current there; 0 when it was loaded on this node alone. */
  headRunning: number;
}

/** A module of which nothing is loaded yet. */
export function emptyModule(): ModuleState {
  return {
    slots: emptySlots(),
    compiled: new Map(),
    data: {},
    before: null,
    headSeen: 0,
    verdict: OK,
    headRunning: 0,
  };
}

/** Takes a version's data; what it was made from is kept until no node can refuse any more. */
export function setData(state: ModuleState, data: Record<string, unknown>): void {
  const { current } = state.slots;
  const before = data === state.data || current === null ? null : { revision: current.revision, data: state.data };
  state.before = before;
  state.data = data;
  const forget = (): void => void (state.before = state.before === before ? null : state.before);
  if (before !== null) setTimeout(forget, KEPT_BEFORE).unref();
}
