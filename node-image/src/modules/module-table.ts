import type { NodeDescription } from '../../../protocol/messages.ts';
import { emptyModule, type ModuleState } from './module-state.ts';
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
