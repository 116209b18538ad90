import { isDeepStrictEqual } from 'node:util';

import type { Assignment } from '../../node-image/src/modules/heads.ts';
import type { LoadResult } from '../../node-image/src/modules/load-result.ts';
import type { NodeDescription, RefusalReason } from '../../protocol/messages.ts';
import { definitely, type Source } from './source.ts';

/** As many versions of a module can drain on a node. */
export const MAX_DRAINING = 2;

/** A version of a module. */
export interface ModelVersion {
  readonly source: Source;
  /** The calls that can be in its code. */
  readonly calls: Set<ModelCall>;
  isClosed: boolean;
}

/** A call that runs, or did. */
export interface ModelCall {
  /** The version that it started on. */
  readonly version: ModelVersion;
  /** Whether that was purged before the call had ended. */
  isPurged: boolean;
}

interface ModelModule {
  current: ModelVersion | null;
  /** The oldest first. */
  draining: readonly ModelVersion[];
  /** The sequence of the newest head. */
  seen: number;
  /** Why that was refused. */
  refusal: RefusalReason | null;
  stateSince: number;
  /** When a head was tried last, and when a version was loaded last, counted in tries. */
  triedAt: number;
  loadedAt: number;
  /** When a head was tried last, by the clock. */
  triedAtMs: number;
}

/** What the pages say of the versions of one node: what runs, what drains and why, what is refused. */
export class NodeModel {
  readonly #node: string;
  readonly #sourceOf: (revision: string) => Source;
  readonly #modules = new Map<string, ModelModule>();
  readonly #calls = new Set<ModelCall>();
  #tries = 0;
  /** Whether the node has too little memory for versions that drain. */
  isMemoryScarce = false;
  /** What the node did otherwise. */
  readonly faults: string[] = [];

  constructor(node: string, sourceOf: (revision: string) => Source) {
    this.#node = node;
    this.#sourceOf = sourceOf;
  }

  get(module: string): ModelModule {
    const known = this.#modules.get(module);
    if (known !== undefined) return known;
    const [current, draining, refusal] = [null, [], null];
    const created = { current, draining, seen: 0, refusal, stateSince: 0, triedAt: 0, loadedAt: 0, triedAtMs: 0 };
    this.#modules.set(module, created);
    return created;
  }

  /** Whether as many versions of a module drain as can. */
  isFull(module: string): boolean {
    return this.get(module).draining.length >= MAX_DRAINING;
  }

  /** Whether a push of a module is refused because of the versions that drain. */
  refusesPush(module: string): boolean {
    const drains = [...this.#modules.values()].some(({ draining }) => draining.length > 0);
    return this.isFull(module) || (this.isMemoryScarce && drains);
  }

  /**
   * Whether one of these revisions, evaluated together, throws or is no JavaScript. What one calls is there when a version
   * of it runs, or when it can be evaluated at once: with these revisions, and not in a circle.
   */
  cannotEvaluate(sources: readonly Source[]): boolean {
    const set = new Map(sources.map(source => [source.bundle.module, source]));
    const canCallAll = ({ bundle, needs }: Source, above: readonly string[]): boolean =>
      needs.every(needed => {
        if (this.get(needed).current !== null) return true;
        const source = set.get(needed);
        const callers = [...above, bundle.module];
        return source !== undefined && !callers.includes(needed) && canCallAll(source, callers);
      });
    return sources.some(source => source.isBroken || source.throwsOn.includes(this.#node) || !canCallAll(source, []));
  }

  /** Heads come that were written together. `attempt` has the node try them, and says what it has loaded, in this order. */
  commit(heads: readonly Assignment[], attempt: Attempt): LoadResult {
    if (heads.some(({ module, sequence }) => sequence < this.get(module).seen)) {
      return this.#expect('outdated', heads, attempt());
    }
    const unseen = heads.filter(({ module, sequence }) => sequence > this.get(module).seen);
    if (unseen.length > 0) return this.#try(unseen, attempt);
    const refusals = heads.map(({ module }) => this.get(module).refusal);
    return this.#expect(refusals.find(refusal => refusal !== null) ?? null, heads, attempt());
  }

  /** The node tries heads again, as far as it refused them. */
  retry(heads: readonly Assignment[], attempt: Attempt): LoadResult {
    return this.#try(
      heads.filter(head => this.#isRefused(head)),
      attempt,
    );
  }

  /** The node refuses heads, before or after it has tried them. */
  refused(heads: readonly Pick<Assignment, 'module' | 'sequence'>[], reason: RefusalReason): void {
    this.#tries += 1;
    for (const head of heads) {
      const state = this.get(head.module);
      if (head.sequence <= state.seen && !this.#isRefused(head)) continue;
      Object.assign(state, { seen: head.sequence, refusal: reason, triedAt: this.#tries, triedAtMs: Date.now() });
    }
  }

  /** A call starts on the current version of a module. */
  begin(module: string): ModelCall {
    const call = { version: definitely(this.get(module).current), isPurged: false };
    call.version.calls.add(call);
    this.#calls.add(call);
    return call;
  }

  /** A call ends: what nothing else holds closes. */
  end(call: ModelCall): void {
    this.#calls.delete(call);
    for (const state of this.#modules.values()) {
      state.current?.calls.delete(call);
      for (const version of state.draining) version.calls.delete(call);
      this.#close(state, ({ calls }) => calls.size === 0);
    }
  }

  /** Closes the versions of a module that drain: the calls that started on them fail, others go on. */
  purge(module: string): void {
    this.#close(this.get(module), () => true);
  }

  /** What a purge without force finds. */
  busy(module: string): { readonly calls: number; readonly versions: number } {
    const { draining } = this.get(module);
    return { calls: draining.reduce((sum, { calls }) => sum + calls.size, 0), versions: draining.length };
  }

  /** Says what a node describes otherwise. */
  compare({ modules, draining, refusals }: Pick<NodeDescription, 'modules' | 'draining' | 'refusals'>): string[] {
    const states = [...this.#modules];
    const expected = {
      runs: states.flatMap(([module, { current }]) => (current === null ? [] : [describe(module, current)])),
      drains: states.flatMap(([module, state]) => state.draining.map(version => describe(module, version))),
      refuses: states.flatMap(([module, { refusal }]) => (refusal === null ? [] : [[module, refusal]])),
    };
    const actual = {
      runs: Object.entries(modules).map(([module, { revision, inFlight }]) => [module, revision, inFlight]),
      drains: draining.map(({ module, revision, inFlight }) => [module, revision, inFlight]),
      refuses: Object.entries(refusals).map(([module, { reason }]) => [module, reason]),
    };
    const isSame = (what: keyof typeof actual): boolean =>
      isDeepStrictEqual(actual[what].toSorted(byModule), expected[what].toSorted(byModule));
    return (['runs', 'drains', 'refuses'] as const).flatMap(what =>
      isSame(what) ? [] : [`what ${what} there is ${String(actual[what])} and not ${String(expected[what])}`],
    );
  }

  #try(heads: readonly Assignment[], attempt: Attempt): LoadResult {
    for (const { module, force, makeRoom, ...head } of heads) {
      const isLoad = head.revision !== null && !this.#isCurrent({ module, ...head });
      if (force) this.purge(module);
      else if (makeRoom && isLoad) {
        const { draining } = this.get(module);
        const closing = new Set(draining.slice(0, Math.max(0, draining.length - (MAX_DRAINING - 1))));
        this.#close(this.get(module), version => closing.has(version));
      }
    }
    const targets = heads.filter(head => head.revision !== null && !this.#isCurrent(head));
    const sources = targets.map(({ revision }) => this.#sourceOf(definitely(revision)));
    const isFull = targets.some(({ module }) => this.isFull(module));
    const refusal = isFull ? 'not_purged' : this.cannotEvaluate(sources) ? 'on_load_failure' : null;
    let loaded: readonly string[] = [];
    const result = this.#expect(
      refusal,
      heads,
      attempt(modules => (loaded = modules)),
    );
    if (result.status === 'refused') return result;
    this.#tries += 1;
    this.#checkOrder(sources, loaded);
    for (const module of loaded) {
      const source = sources.find(({ bundle }) => bundle.module === module);
      if (source !== undefined) this.#replace(module, { source, calls: new Set(), isClosed: false });
    }
    for (const { module, sequence, revision, stateSince = 0 } of heads) {
      if (revision === null) this.#replace(module, null);
      const state = this.get(module);
      const since = Math.max(state.stateSince, stateSince);
      Object.assign(state, { seen: sequence, refusal: null, stateSince: since, triedAt: this.#tries });
    }
    return result;
  }

  #expect(refusal: RefusalReason | null, heads: readonly Assignment[], result: LoadResult): LoadResult {
    const actual = result.status === 'ok' ? null : result.reason;
    const names = heads.map(({ module, sequence }) => `${module} ${sequence}`).join(' and ');
    if (actual !== refusal)
      this.faults.push(`to ${names} ${this.#node} says ${actual ?? 'ok'}, not ${refusal ?? 'ok'}`);
    return result;
  }

  /** All of a set are loaded, and none before what it imports, but in a circle. */
  #checkOrder(sources: readonly Source[], loaded: readonly string[]): void {
    const names = sources.map(({ bundle }) => bundle.module);
    if (!isDeepStrictEqual(new Set(loaded), new Set(names))) this.faults.push(`${this.#node} loads ${String(loaded)}`);
    const set = new Map(sources.map(source => [source.bundle.module, source.imports]));
    const reaches = (from: string): Set<string> => reachable(from, module => set.get(module) ?? []);
    for (const [at, module] of loaded.entries()) {
      const late = loaded.slice(at + 1).filter(each => reaches(module).has(each) && !reaches(each).has(module));
      if (late.length > 0) this.faults.push(`${this.#node} loads ${module} before ${late.join(', ')}`);
    }
  }

  /** Another version becomes current. What was drains while a call can be in its code: one that can reach it by imports. */
  #replace(module: string, next: ModelVersion | null): void {
    const state = this.get(module);
    const { current: replaced, draining } = state;
    if (replaced !== null) {
      const importsOf = (name: string): readonly string[] => {
        const { current, draining: earlier } = this.get(name);
        return [...(current === null ? [] : [current]), ...earlier].flatMap(({ source }) => source.imports);
      };
      for (const call of this.#calls) {
        const reached = call.version.source.imports.flatMap(each => [each, ...reachable(each, importsOf)]);
        if (reached.includes(module)) replaced.calls.add(call);
      }
      state.draining = [...draining, replaced];
    }
    Object.assign(state, { current: next, ...(next === null ? {} : { loadedAt: this.#tries }) });
    this.#close(state, ({ calls }) => calls.size === 0);
  }

  #close(state: ModelModule, isClosing: (version: ModelVersion) => boolean): void {
    const closing = state.draining.filter(isClosing);
    state.draining = state.draining.filter(version => !closing.includes(version));
    for (const version of closing) {
      version.isClosed = true;
      for (const call of version.calls) {
        if (call.version !== version) continue;
        call.isPurged = true;
        this.end(call);
      }
    }
  }

  #isCurrent({ module, revision, stateSince = 0 }: Pick<Assignment, 'module' | 'revision' | 'stateSince'>): boolean {
    const state = this.get(module);
    return state.current?.source.bundle.revision === revision && stateSince <= state.stateSince;
  }

  #isRefused({ module, sequence }: Pick<Assignment, 'module' | 'sequence'>): boolean {
    const { seen, refusal } = this.get(module);
    return seen === sequence && refusal !== null;
  }
}

/** Has a node try heads; tells which modules it has loaded, in this order. */
type Attempt = (onLoaded?: (modules: readonly string[]) => void) => LoadResult;

function describe(module: string, { source, calls }: ModelVersion) {
  return [module, source.bundle.revision, calls.size];
}

/** Versions of the same module stay in their order. */
function byModule([a]: readonly unknown[], [b]: readonly unknown[]): number {
  return String(a).localeCompare(String(b));
}

/** What can be reached from a module by imports, in one step or more. */
function reachable(from: string, importsOf: (module: string) => readonly string[]): Set<string> {
  const reached = new Set(importsOf(from));
  // The iteration of a set includes the elements that are added during it.
  for (const module of reached) for (const next of importsOf(module)) reached.add(next);
  return reached;
}
