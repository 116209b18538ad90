import type { DigestRequest, NodeDescription } from '../../../protocol/messages.ts';
import { dropPreviousData, emptyModule, type ModuleState } from './module-state.ts';
import type { Slots } from './version-slots.ts';
import { type BundleInfo, scriptName, type Version } from './version.ts';

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

  get names(): string[] {
    return [...this.#modules.keys()];
  }

  get states(): ModuleState[] {
    return [...this.#modules.values()];
  }

  /** The number of loaded modules. */
  get loaded(): number {
    return this.states.filter(({ slots }) => slots.current !== null).length;
  }

  /** Drops the data before a change where the newest head runs and no node can refuse it any more. */
  dropUnneededData({ heads, revertible }: DigestRequest): void {
    for (const [module, state] of this.#modules) {
      if (heads[module] === state.headRunning && revertible?.includes(module) === false) dropPreviousData(state);
    }
  }

  /** The current and the draining versions of all modules. */
  get versions(): Version[] {
    return this.states.flatMap(({ slots }) => versionsOf(slots));
  }

  /** The bundle of a script (see {@link scriptName}); null when it is not kept. */
  bundleOf(script: string): BundleInfo | null {
    const state = this.#modules.get(script.slice(0, script.indexOf('@')));
    const kept = state === undefined ? [] : [...versionsOf(state.slots), ...state.compiled.values()];
    return kept.find(({ bundle }) => scriptName(bundle) === script)?.bundle ?? null;
  }

  /** The current or draining version of a script; null when there is none. */
  versionOf(script: string | null): Version | null {
    return this.versions.find(version => scriptName(version) === script) ?? null;
  }

  /** The modules that a module's versions have imported as `hot:<module>`. */
  importsOf(module: string): string[] {
    const state = this.#modules.get(module);
    return state === undefined ? [] : versionsOf(state.slots).flatMap(({ imports }) => [...imports]);
  }

  /** The loaded modules that have imported a module as `hot:<module>`. */
  importersOf(module: string): string[] {
    return [...this.#modules.keys()].filter(importer => this.importsOf(importer).includes(module));
  }

  /** Describes every loaded module: its revision, the head that activated it, and its calls. */
  describe(): NodeDescription['modules'] {
    const loaded: NodeDescription['modules'] = {};
    for (const [module, { slots, headRunning }] of this.#modules) {
      if (slots.current === null) continue;
      const { revision, ended, errors, requests, calls: inFlight } = slots.current;
      const ofHttp = requests === 0 ? {} : { requests };
      loaded[module] = { revision, sequence: headRunning, calls: ended, errors, ...ofHttp, inFlight };
    }
    return loaded;
  }

  /** The modules whose newest head was refused, and why. */
  refusals(): NodeDescription['refusals'] {
    const refusals: NodeDescription['refusals'] = {};
    for (const [module, { headSeen, headResult }] of this.#modules) {
      if (headResult.status === 'ok') continue;
      const { status: _status, ...refusal } = headResult;
      refusals[module] = { sequence: headSeen, ...refusal };
    }
    return refusals;
  }
}

/** The current and the draining versions of a module. */
export function versionsOf({ current, draining }: Slots<Version>): Version[] {
  return current === null ? [...draining] : [current, ...draining];
}
