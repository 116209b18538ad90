import type { Bundle } from '../../../protocol/bundle.ts';
import { MAX_MODULES } from '../../../protocol/limits.ts';
import type { NodeDescription } from '../../../protocol/messages.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import { describeError, type ErrorDescription, mapStack, scriptIn } from '../../../shared/stack-trace.ts';
import { Bans } from '../watchdog/bans.ts';
import { type Call, Calls } from './in-flight-calls.ts';
import { HotImports } from './hot-imports.ts';
import { setData } from './module-state.ts';
import { ModuleTable } from './module-table.ts';
import type { Logger } from '../../../shared/logger.ts';
import { migrateState, migratesState, restore } from './state-migration.ts';
import { VersionLogger } from '../sandbox/version-logger.ts';
import { banned, notPurged, OK, type LoadResult, refused } from './load-result.ts';
import { runInContext, currentScript } from '../sandbox/execution-context.ts';
import { dryRun, type DryRun } from './dry-run.ts';
import { load, purge, remove, type Slots } from './version-slots.ts';
import {
  compileVersion,
  evaluateVersion,
  type Origin,
  type Prepared,
  scriptName,
  type Environment,
  type Version,
} from './version.ts';
import { ActivityBuffer } from '../watchdog/activity-buffer.ts';

/** How many compiled revisions of a module are kept: what is prepared, and what a rollback goes back to. */
const KEPT_COMPILED = 4;

const TOO_MANY: LoadResult = {
  status: 'refused',
  reason: 'system_limit',
  detail: `a node runs ${MAX_MODULES} modules at most; remove some first`,
};

interface Options {
  /** How many characters a second a version may log. */
  readonly logCharsPerSecond?: number;
  /** The revisions that brought this node down before. */
  readonly bans?: Bans;
  /** Told which module's code is entered. */
  readonly activity?: ActivityBuffer;
}

interface Target {
  readonly module: string;
  readonly revision: string;
  readonly revert?: boolean;
}

/** What a head asks of this node; a null revision: not to have the module. */
export interface Assignment {
  readonly module: string;
  readonly revision: string | null;
  readonly sequence: number;
  /** Purge an old version on which calls are still running. */
  readonly force: boolean;
  /** Go back from a version that was refused elsewhere, to the data as it was. */
  readonly revert?: boolean;
}

/** Hosts the modules of one node, as OTP's code server does: two slots a module, and what is compiled beside them. */
export class CodeServer {
  readonly #modules = new ModuleTable();
  readonly #hotImports = new HotImports();
  readonly #calls = new Calls();
  readonly #log: Logger;
  readonly #logCharsPerSecond: number;
  readonly #bans: Bans;
  readonly #activity: ActivityBuffer;

  constructor(
    log: Logger,
    { logCharsPerSecond = Infinity, bans = new Bans(), activity = new ActivityBuffer() }: Options = {},
  ) {
    this.#log = log;
    this.#logCharsPerSecond = logCharsPerSecond;
    this.#bans = bans;
    this.#activity = activity;
  }

  /** Compiles a bundle and keeps it ready, beside what runs. */
  prepare(bundle: Bundle): LoadResult {
    if (!this.#hasRoomFor([bundle])) return TOO_MANY;
    const { compiled } = this.#modules.of(bundle.module);
    try {
      const prepared = compiled.get(bundle.revision) ?? this.#compile(bundle);
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

  /** Why a revision is refused: it brought this node down before. Null for every other. */
  banOn(target: Target): LoadResult | null {
    const ban = this.#bans.of(scriptName(target));
    return ban === null ? null : banned(ban);
  }

  /** Loads a prepared revision on this node alone: no head says so. */
  loadHere(target: Target): LoadResult {
    const outcome = this.#switchTogether([target]);
    if (outcome.status === 'ok') this.#modules.of(target.module).headRunning = 0;
    return outcome;
  }

  /** Tries prepared revisions aside, on a copy of the live data, and ends them at once; nothing of it stays. */
  dryRun(targets: readonly Target[]): DryRun {
    const parts = [];
    for (const { module, revision } of targets) {
      const state = this.#modules.get(module);
      const prepared = state?.compiled.get(revision);
      if (state !== undefined && state.slots.current?.revision === revision) continue;
      if (state === undefined || prepared === undefined)
        return refused('nofile', `${module}@${shortRevision(revision)} is not prepared`);
      parts.push({
        prepared,
        live: { data: state.data, current: state.slots.current },
        environment: this.#around(prepared.bundle),
      });
    }
    return dryRun(parts);
  }

  /**
   * Obeys heads that were written together: evaluates all their prepared revisions, then switches all of them in
   * this turn of the event loop, or none (`code:atomic_load`). Each head is obeyed once, and answered the same when
   * it comes again; an older one is refused.
   */
  commit(assignments: readonly Assignment[]): LoadResult {
    for (const { module, sequence } of assignments) {
      if (sequence < this.headSeen(module)) return refused('outdated', `a newer head of ${module} was seen`);
    }
    const news = assignments.filter(({ module, sequence }) => sequence > this.headSeen(module));
    if (news.length === 0) return this.#verdictOn(assignments);
    const targets = news.flatMap(({ module, revision, revert = false }) =>
      revision === null ? [] : [{ module, revision, revert }],
    );
    const changing = targets.filter(({ module, revision }) => this.current(module)?.revision !== revision);
    for (const { module, revision, sequence, force, revert } of news) {
      if (!force) continue;
      this.purge(module);
      // What somebody asks for, not what a controller goes back to.
      if (revision !== null && revert !== true) this.#bans.lift(scriptName({ module, revision }), sequence);
    }
    const verdict = this.#switchTogether(changing);
    // What is not at hand, or waits for a call, may come with the next digest; what threw would throw again.
    if (verdict.status === 'refused' && (verdict.reason === 'nofile' || verdict.reason === 'not_purged'))
      return verdict;
    for (const { module, revision, sequence } of news) {
      const state = this.#modules.of(module);
      state.headSeen = sequence;
      state.verdict = verdict;
      if (verdict.status === 'refused') continue;
      if (revision === null) this.#setSlots(module, remove(state.slots));
      state.headRunning = sequence;
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

  /** Enters a version's code: what it starts, prints to `output` and throws astray is known as its own. */
  run<T>(version: Version, output: string[] | null, body: () => T): T {
    const script = scriptName(version);
    return runInContext(script, output, () => this.#activity.within(script, body));
  }

  /** A call on a version begins. */
  callBegan(version: Version): Call {
    return this.#calls.begin(version);
  }

  /** A call has ended; an old version is let go with its last one. */
  callEnded(call: Call, failed: boolean): void {
    call.version.ended += 1;
    if (failed) call.version.errors += 1;
    for (const version of this.#calls.end(call)) {
      const slots = this.#modules.get(version.module)?.slots;
      if (version.calls === 0 && slots?.old === version) this.#setSlots(version.module, slots);
    }
  }

  /** What was thrown, with its stack in the modules' own files. */
  describeError(thrown: unknown): ErrorDescription {
    return describeError(thrown, script => this.#modules.bundleOf(script));
  }

  /** What `demo@3f2a9c81b0d4:4:9` is in the module's own file: `modules/demo.ts:4:9`; null when that is not known. */
  locate(position: string): string | null {
    return mapStack(position, script => this.#modules.bundleOf(script)).split(' ')[1] ?? null;
  }

  /**
   * Counts an error that nobody caught against the version whose code is in its stack, else against the one that started
   * what threw it; false when there is none.
   */
  blameStray(error: unknown): boolean {
    const culprit = this.#modules.versionOf(scriptIn(error) ?? currentScript());
    if (culprit === null) return false;
    this.#blame(culprit, error);
    return true;
  }

  /** The old version of a module, while calls are running on it; null when there is none. */
  busyOld(module: string): Version | null {
    return this.#modules.get(module)?.slots.old ?? null;
  }

  /** The old version that a load would push out of its slot while calls are running on it; null when there is room. */
  oldInTheWay(module: string): Version | null {
    return this.current(module) === null ? null : this.busyOld(module);
  }

  /** Lets go of a module's old version, also while calls are running on it: they fail, and all that it opened is closed. */
  purge(module: string): void {
    const slots = this.#modules.get(module)?.slots;
    if (slots !== undefined) this.#setSlots(module, purge(slots));
  }

  /** Waits until no old version is in the way of a load any more, or the time (milliseconds) is over. */
  async oldIdle(module: string, timeoutMs: number): Promise<void> {
    const old = this.oldInTheWay(module);
    if (old === null) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>(resolve => (timer = setTimeout(resolve, timeoutMs)));
    const ended = new Promise<void>(resolve => old.lifetime.onEnd(() => resolve()));
    await Promise.race([ended, late]);
    clearTimeout(timer);
  }

  /** Calls in flight on all versions. */
  get callsInFlight(): number {
    return this.#calls.size;
  }

  /** See {@link ModuleTable.describe}. */
  describe(): NodeDescription['modules'] {
    return this.#modules.describe();
  }

  /** See {@link ModuleTable.refusals}. */
  refusals(): NodeDescription['refusals'] {
    return this.#modules.refusals();
  }

  #compile(bundle: Bundle): Prepared {
    const prepared = compileVersion(bundle);
    if (prepared.script.cachedDataRejected === true) {
      const { module, revision } = bundle;
      this.#log.warn({ module, revision: shortRevision(revision) }, 'the code cache does not fit: compiled without it');
    }
    return prepared;
  }

  #hasRoomFor(targets: readonly Target[]): boolean {
    const fresh = targets.filter(({ module }) => this.current(module) === null).length;
    return fresh === 0 || this.#modules.loaded + fresh <= MAX_MODULES;
  }

  #verdictOn(assignments: readonly Assignment[]): LoadResult {
    const verdicts = assignments.map(({ module }) => this.#modules.of(module).verdict);
    return verdicts.find(({ status }) => status === 'refused') ?? OK;
  }

  #switchTogether(targets: readonly Target[]): LoadResult {
    if (!this.#hasRoomFor(targets)) return TOO_MANY;
    for (const target of targets) {
      const ban = this.banOn(target);
      if (ban !== null) return ban;
    }
    const ready: { prepared: Prepared; revert: boolean }[] = [];
    for (const { module, revision, revert = false } of targets) {
      const prepared = this.#modules.get(module)?.compiled.get(revision);
      if (prepared === undefined) return refused('nofile', `${module}@${shortRevision(revision)} is not prepared`);
      ready.push({ prepared, revert });
    }
    for (const { module } of targets) {
      const old = this.oldInTheWay(module);
      if (old !== null) return notPurged(old);
    }
    const next: Version[] = [];
    const before = targets.map(({ module }) => ({ ...this.#modules.of(module).data }));
    for (const { prepared, revert } of ready) {
      try {
        next.push(this.#activity.within(scriptName(prepared.bundle), () => this.#evaluate(prepared, revert)));
      } catch (error) {
        for (const version of next) void version.lifetime.end();
        targets.forEach((target, index) => restore(this.#modules.of(target.module).data, before[index] ?? {}));
        const { module, revision } = prepared.bundle;
        this.#log.error(
          { module, revision: shortRevision(revision), err: this.describeError(error) },
          'refused: threw while it loaded',
        );
        return refused('on_load_failure', error);
      }
    }
    for (const version of next) {
      const state = this.#modules.of(version.module);
      setData(state, version.data);
      this.#setSlots(version.module, load(state.slots, version));
      this.#log.info({ module: version.module, revision: shortRevision(version.revision) }, 'loaded');
    }
    return OK;
  }

  /** Evaluates what is prepared; with a `codeChange`, on data of its own that is made from a copy of the module's. */
  #evaluate(prepared: Prepared, revert: boolean): Version {
    const { module, revision, exports } = prepared.bundle;
    const { data: current, before, slots } = this.#modules.of(module);
    const isBack = revert && before?.revision === revision;
    const from = migratesState(exports) && !isBack ? slots.current : null;
    const data = isBack ? before.data : current;
    const version = evaluateVersion(prepared, {
      data: from === null ? data : {},
      ...this.#around(prepared.bundle),
    });
    try {
      if (from !== null) Object.assign(version.data, migrateState(version, structuredClone(data), from.revision));
    } catch (error) {
      void version.lifetime.end();
      throw error;
    }
    return version;
  }

  #around({ module, revision }: Origin): Omit<Environment, 'data'> {
    return {
      log: new VersionLogger(this.#log, module, revision, this.#logCharsPerSecond),
      hotImport: name => this.#hotImports.of(name),
      onError: (culprit, error) => this.#blame(culprit, error),
    };
  }

  /** Has the slots of a module take their new content: names lead to current, and an old that is idle is purged. */
  #setSlots(module: string, slots: Slots<Version>): void {
    const state = this.#modules.of(module);
    const before = [state.slots.current, state.slots.old, slots.old];
    const replaced = state.slots.current;
    if (replaced !== null && replaced !== slots.current)
      this.#calls.hold(replaced, name => this.#modules.importsOf(name));
    state.slots = slots.old?.calls === 0 ? purge(slots) : slots;
    this.#hotImports.point(module, slots.current?.exports ?? null);
    for (const version of new Set(before)) {
      if (version === null || version === state.slots.current || version === state.slots.old) continue;
      this.#calls.abandon(version);
      void version.lifetime.end({ removed: state.slots.current === null });
    }
  }

  #blame(version: Version, error: unknown): void {
    version.errors += 1;
    version.log.error(() => this.describeError(error));
  }
}
