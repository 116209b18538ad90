import type { NodeDescription } from '../../../protocol/messages.ts';
import { OK, type LoadResult } from './load-result.ts';
import type { Prepared } from './loader.ts';
import { type BundleInfo, scriptName, type Version } from './version.ts';
import { emptySlots, type Slots } from './version-slots.ts';

/** How long the data before a `codeChange` is kept (milliseconds). It is longer than a push waits for its nodes. */
const PREVIOUS_DATA_MS = 60_000;

/** The state of one module on this node. */
export interface ModuleState {
  slots: Slots<Version>;
  /** The compiled revisions, the newest last. */
  readonly compiled: Map<string, Prepared>;
  /** `import.meta.hot.data`: survives every version, and is replaced only by a `codeChange`. */
  data: Record<string, unknown>;
  /** The data before the last `codeChange`, and its revision. It is kept for a while because another node can refuse. */
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

/** All modules of one node by their names. */
export class ModuleTable {
  readonly #modules = new Map<string, ModuleState>();

  /** The state of a module; it is created when there is none. */
  of(module: string): ModuleState {
    const state = this.#modules.get(module) ?? emptyModule();
    this.#modules.set(module, state);
    return state;
  }

  /** The state of a module; undefined when there is none. */
  get(module: string): ModuleState | undefined {
    return this.#modules.get(module);
  }

  get states(): ModuleState[] {
    return [...this.#modules.values()];
  }

  /** The number of loaded modules. */
  get loaded(): number {
    return this.states.filter(({ slots }) => slots.current !== null).length;
  }

  /** The current and the old versions of all modules. */
  get versions(): Version[] {
    return this.states.flatMap(({ slots }) => [slots.current, slots.old]).filter(version => version !== null);
  }

  /** The bundle of a script (see {@link scriptName}); null when it is not kept. */
  bundleOf(script: string): BundleInfo | null {
    const compiled = this.#modules.get(script.slice(0, script.indexOf('@')))?.compiled.values() ?? [];
    return [...compiled].find(({ bundle }) => scriptName(bundle) === script)?.bundle ?? null;
  }

  /** The current or old version of a script; null when it is neither. */
  versionOf(script: string | null): Version | null {
    return this.versions.find(version => scriptName(version) === script) ?? null;
  }

  /** The modules that a module's versions have imported as `hot:<module>`. */
  importsOf(module: string): string[] {
    const slots = this.#modules.get(module)?.slots;
    return [...(slots?.current?.imports ?? []), ...(slots?.old?.imports ?? [])];
  }

  /** Describes every loaded module: its revision, the head that activated it, and its calls. */
  describe(): NodeDescription['modules'] {
    const loaded: NodeDescription['modules'] = {};
    for (const [module, { slots, headRunning }] of this.#modules) {
      if (slots.current === null) continue;
      const { revision, ended, errors, calls: inFlight } = slots.current;
      const old = slots.old === null ? null : { revision: slots.old.revision, inFlight: slots.old.calls };
      loaded[module] = { revision, sequence: headRunning, calls: ended, errors, inFlight, old };
    }
    return loaded;
  }

  /** The modules whose newest head was refused, and why. */
  refusals(): NodeDescription['refusals'] {
    const refusals: NodeDescription['refusals'] = {};
    for (const [module, { headSeen, headResult }] of this.#modules) {
      if (headResult.status === 'ok') continue;
      refusals[module] = { sequence: headSeen, reason: headResult.reason, detail: headResult.detail };
    }
    return refusals;
  }
}

/** The state of a module of which nothing is loaded yet. */
function emptyModule(): ModuleState {
  return {
    slots: emptySlots(),
    compiled: new Map(),
    data: {},
    previous: null,
    headSeen: 0,
    headResult: OK,
    headRunning: 0,
  };
}

/** Replaces the data of a module. Other data than before comes from a `codeChange`: the previous data is kept for a while. */
export function setData(state: ModuleState, data: Record<string, unknown>): void {
  const { current } = state.slots;
  dropPreviousData(state);
  if (data !== state.data && current !== null) {
    const timer = setTimeout(() => dropPreviousData(state), PREVIOUS_DATA_MS).unref();
    state.previous = { revision: current.revision, data: state.data, timer };
  }
  state.data = data;
}

export function dropPreviousData(state: ModuleState): void {
  clearTimeout(state.previous?.timer);
  state.previous = null;
}
