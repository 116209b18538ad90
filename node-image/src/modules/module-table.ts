import type { NodeDescription } from '../../../protocol/messages.ts';
import { type ModuleState, emptyModule } from './module-state.ts';
import { type Origin, scriptName, type Version } from './version.ts';

/** All modules of one node by their names, and what can be found in them. */
export class ModuleTable {
  readonly #modules = new Map<string, ModuleState>();

  /** What the node has of a module, if it is only an empty place. */
  of(module: string): ModuleState {
    let state = this.#modules.get(module);
    if (state === undefined) {
      state = emptyModule();
      this.#modules.set(module, state);
    }
    return state;
  }

  /** The same, without making a place for it. */
  get(module: string): ModuleState | undefined {
    return this.#modules.get(module);
  }

  /** How many modules are loaded. */
  get loaded(): number {
    return [...this.#modules.values()].filter(({ slots }) => slots.current !== null).length;
  }

  /** What is kept of the bundle of a script (see {@link scriptName}); null when that is not known. */
  bundleOf(script: string): Origin | null {
    const compiled = this.#modules.get(script.slice(0, script.indexOf('@')))?.compiled.values() ?? [];
    return [...compiled].find(({ bundle }) => scriptName(bundle) === script)?.bundle ?? null;
  }

  /** The current or old version of a script; null when it is neither. */
  versionOf(script: string | null): Version | null {
    const versions = [...this.#modules.values()].flatMap(({ slots }) => [slots.current, slots.old]);
    return versions.find(version => version !== null && scriptName(version) === script) ?? null;
  }

  /** The modules that a module's versions have imported as `hot:<module>`. */
  importsOf(module: string): string[] {
    const slots = this.#modules.get(module)?.slots;
    return [...(slots?.current?.imports ?? []), ...(slots?.old?.imports ?? [])];
  }

  /** Every loaded module: its revision, the head that put it there, and how its calls went. */
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

  /** The modules whose newest head could not be obeyed, and why. */
  refusals(): NodeDescription['refusals'] {
    const refusals: NodeDescription['refusals'] = {};
    for (const [module, { headSeen, verdict }] of this.#modules) {
      if (verdict.status === 'ok') continue;
      refusals[module] = { sequence: headSeen, reason: verdict.reason, detail: verdict.detail };
    }
    return refusals;
  }
}
