import type { Bundle } from '../../protocol/bundle.ts';
import type { Head } from '../../protocol/head.ts';
import type { RefusalReason } from '../../protocol/messages.ts';
import { shortRevision } from '../../protocol/revision.ts';
import type { Logger } from './logger.ts';
import { moduleConsole } from './module-console.ts';
import { emptySlots, load, purge, remove, type Slots } from './slots.ts';
import { compileVersion, evaluateVersion, type Prepared, type Version } from './version.ts';

/** What came of a request to prepare or to load. */
export type Outcome = { status: 'ok' } | { status: 'refused'; reason: RefusalReason; detail: string };

const OK: Outcome = { status: 'ok' };

/** How many compiled revisions of a module are kept: what is prepared, and what a rollback goes back to. */
const KEPT_COMPILED = 4;

interface HostedModule {
  slots: Slots<Version>;
  /** By revision, the newest last. */
  readonly compiled: Map<string, Prepared>;
  /** `import.meta.hot.data`: outlives every version. */
  readonly data: Record<string, unknown>;
  /** The sequence of the newest head that was seen, taken or refused; 0 for none. */
  headSeen: number;
  /** The sequence of the head that put current there; 0 when it was loaded on this node alone. */
  headRunning: number;
}

interface Target {
  readonly module: string;
  readonly revision: string;
}

/** Hosts the modules of one node, as OTP's code server does: two slots a module, and what is compiled beside them. */
export class CodeServer {
  readonly #modules = new Map<string, HostedModule>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Compiles a bundle and keeps it ready, beside what runs. */
  prepare(bundle: Bundle): Outcome {
    const { compiled } = this.#host(bundle.module);
    try {
      const prepared = compiled.get(bundle.revision) ?? compileVersion(bundle);
      compiled.delete(bundle.revision);
      compiled.set(bundle.revision, prepared);
    } catch (error) {
      return refused('badfile', error);
    }
    for (const revision of compiled.keys()) {
      if (compiled.size > KEPT_COMPILED) compiled.delete(revision);
    }
    return OK;
  }

  /** Whether a revision can be loaded without its bundle. */
  holds(module: string, revision: string): boolean {
    return this.#modules.get(module)?.compiled.has(revision) ?? false;
  }

  /** Loads a prepared revision on this node alone: no head says so. */
  loadHere(target: Target): Outcome {
    const outcome = this.#switchTogether([target]);
    if (outcome.status === 'ok') this.#host(target.module).headRunning = 0;
    return outcome;
  }

  /**
   * Obeys heads that were written together: evaluates all their prepared revisions, then switches all of them in
   * this turn of the event loop, or none (`code:atomic_load`). Each head is obeyed once; an older one is refused.
   */
  commit(heads: readonly Head[]): Outcome {
    const outdated = heads.find(head => head.sequence < this.headSeen(head.module));
    if (outdated !== undefined) {
      return refused('outdated', `a newer head of ${outdated.module} was seen`);
    }
    const news = heads.filter(head => head.sequence > this.headSeen(head.module));
    const targets = news.flatMap(({ module, revision }) => (revision === null ? [] : [{ module, revision }]));
    const outcome = this.#switchTogether(
      targets.filter(({ module, revision }) => this.current(module)?.revision !== revision),
    );
    // What is not at hand may come with the next digest; what threw would throw again.
    if (outcome.status === 'refused' && outcome.reason === 'nofile') return outcome;
    for (const head of news) this.#host(head.module).headSeen = head.sequence;
    if (outcome.status === 'refused') return outcome;
    for (const head of news) {
      const hosted = this.#host(head.module);
      if (head.revision === null) hosted.slots = withoutIdleOld(remove(hosted.slots));
      hosted.headRunning = head.sequence;
    }
    return OK;
  }

  /** The sequence of the newest head of a module that this node knows of; 0 for none. */
  headSeen(module: string): number {
    return this.#modules.get(module)?.headSeen ?? 0;
  }

  /** The version that new calls get; null when the module is not loaded. */
  current(module: string): Version | null {
    return this.#modules.get(module)?.slots.current ?? null;
  }

  /** A call on a version has ended; an old version is let go with its last one. */
  callEnded(version: Version): void {
    version.calls -= 1;
    const hosted = this.#modules.get(version.module);
    if (hosted !== undefined) hosted.slots = withoutIdleOld(hosted.slots);
  }

  /** Calls in flight on all versions in the slots. */
  get callsInFlight(): number {
    return [...this.#modules.values()]
      .flatMap(({ slots }) => [slots.current, slots.old])
      .reduce((sum, version) => sum + (version?.calls ?? 0), 0);
  }

  /** Every loaded module with its revision and the head that put it there. */
  describe(): Record<string, { revision: string; sequence: number }> {
    const loaded: Record<string, { revision: string; sequence: number }> = {};
    for (const [module, hosted] of this.#modules) {
      const current = hosted.slots.current;
      if (current !== null) loaded[module] = { revision: current.revision, sequence: hosted.headRunning };
    }
    return loaded;
  }

  #host(module: string): HostedModule {
    let hosted = this.#modules.get(module);
    if (hosted === undefined) {
      hosted = { slots: emptySlots(), compiled: new Map(), data: {}, headSeen: 0, headRunning: 0 };
      this.#modules.set(module, hosted);
    }
    return hosted;
  }

  #switchTogether(targets: readonly Target[]): Outcome {
    const ready: Prepared[] = [];
    for (const { module, revision } of targets) {
      const prepared = this.#modules.get(module)?.compiled.get(revision);
      if (prepared === undefined) return refused('nofile', `${module}@${shortRevision(revision)} is not prepared`);
      ready.push(prepared);
    }
    const next: Version[] = [];
    const before = targets.map(({ module }) => ({ ...this.#host(module).data }));
    for (const prepared of ready) {
      const { module, revision } = prepared.bundle;
      const { data } = this.#host(module);
      try {
        next.push(evaluateVersion(prepared, { data }, moduleConsole(this.#log, module, revision)));
      } catch (error) {
        targets.forEach((target, index) => restore(this.#host(target.module).data, before[index] ?? {}));
        this.#log.error({ module, revision: shortRevision(revision), err: error }, 'refused: threw while it loaded');
        return refused('on_load_failure', error);
      }
    }
    for (const version of next) {
      const hosted = this.#host(version.module);
      hosted.slots = withoutIdleOld(load(hosted.slots, version));
      this.#log.info({ module: version.module, revision: shortRevision(version.revision) }, 'loaded');
    }
    return OK;
  }
}

function withoutIdleOld(slots: Slots<Version>): Slots<Version> {
  return slots.old?.calls === 0 ? purge(slots) : slots;
}

/** Puts back the keys that a module changed before it threw. */
function restore(data: Record<string, unknown>, before: Record<string, unknown>): void {
  for (const key of Object.keys(data)) delete data[key];
  Object.assign(data, before);
}

function refused(reason: RefusalReason, cause: unknown): Outcome {
  return {
    status: 'refused',
    reason,
    detail: cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause),
  };
}
