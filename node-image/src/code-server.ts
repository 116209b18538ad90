import type { Bundle } from '../../protocol/bundle.ts';
import type { NodeDescription, RefusalReason } from '../../protocol/messages.ts';
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
  /** The sequence of the newest head that was seen, 0 for none, and what this node made of it. */
  headSeen: number;
  verdict: Outcome;
  /** The sequence of the head that put current there; 0 when it was loaded on this node alone. */
  headRunning: number;
}

interface Target {
  readonly module: string;
  readonly revision: string;
}

/** What a head asks of this node; a null revision: not to have the module. */
export interface Assignment {
  readonly module: string;
  readonly revision: string | null;
  readonly sequence: number;
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
   * this turn of the event loop, or none (`code:atomic_load`). Each head is obeyed once, and answered the same when
   * it comes again; an older one is refused.
   */
  commit(assignments: readonly Assignment[]): Outcome {
    for (const { module, sequence } of assignments) {
      if (sequence < this.headSeen(module)) return refused('outdated', `a newer head of ${module} was seen`);
    }
    const news = assignments.filter(({ module, sequence }) => sequence > this.headSeen(module));
    if (news.length === 0) return this.#verdictOn(assignments);
    const targets = news.flatMap(({ module, revision }) => (revision === null ? [] : [{ module, revision }]));
    const verdict = this.#switchTogether(
      targets.filter(({ module, revision }) => this.current(module)?.revision !== revision),
    );
    // What is not at hand may come with the next digest; what threw would throw again.
    if (verdict.status === 'refused' && verdict.reason === 'nofile') return verdict;
    for (const { module, revision, sequence } of news) {
      const hosted = this.#host(module);
      hosted.headSeen = sequence;
      hosted.verdict = verdict;
      if (verdict.status === 'refused') continue;
      if (revision === null) hosted.slots = withoutIdleOld(remove(hosted.slots));
      hosted.headRunning = sequence;
    }
    return verdict;
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
  callEnded(version: Version, failed: boolean): void {
    version.calls -= 1;
    version.ended += 1;
    if (failed) version.errors += 1;
    const hosted = this.#modules.get(version.module);
    if (hosted !== undefined) hosted.slots = withoutIdleOld(hosted.slots);
  }

  /** Calls in flight on all versions in the slots. */
  get callsInFlight(): number {
    return [...this.#modules.values()]
      .flatMap(({ slots }) => [slots.current, slots.old])
      .reduce((sum, version) => sum + (version?.calls ?? 0), 0);
  }

  /** Every loaded module: its revision, the head that put it there, and how its calls went. */
  describe(): NodeDescription['modules'] {
    const loaded: NodeDescription['modules'] = {};
    for (const [module, { slots, headRunning }] of this.#modules) {
      if (slots.current === null) continue;
      const { revision, ended, errors } = slots.current;
      loaded[module] = { revision, sequence: headRunning, calls: ended, errors };
    }
    return loaded;
  }

  #host(module: string): HostedModule {
    let hosted = this.#modules.get(module);
    if (hosted === undefined) {
      hosted = { slots: emptySlots(), compiled: new Map(), data: {}, headSeen: 0, verdict: OK, headRunning: 0 };
      this.#modules.set(module, hosted);
    }
    return hosted;
  }

  #verdictOn(assignments: readonly Assignment[]): Outcome {
    const verdicts = assignments.map(({ module }) => this.#host(module).verdict);
    return verdicts.find(({ status }) => status === 'refused') ?? OK;
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
