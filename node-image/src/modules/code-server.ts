import type { Bundle } from '../../../protocol/bundle.ts';
import type { DigestRequest, NodeDescription } from '../../../protocol/messages.ts';
import type { Logger } from '../../../shared/logger.ts';
import { orNullAfter } from '../../../shared/timeout.ts';
import type { Packages, ReadySet } from '../packages/packages.ts';
import type { ScopedResources } from '../sandbox/scoped-resources.ts';
import { ModuleLogs } from '../sandbox/logs/module-logs.ts';
import { callInScope, type Output, runInContext } from '../sandbox/execution-context.ts';
import { ActivityBuffer } from '../watchdog/activity-buffer.ts';
import { Bans } from '../watchdog/bans.ts';
import { type Activator, type ActivatorDeps, createActivator, notPrepared, type Target } from './activator.ts';
import { type DrainingLimits, drainingVersions } from './draining.ts';
import { dryRun, type DryRun, type DryRunTarget } from './dry-run.ts';
import { type EndingVersions, endingVersions } from './ending-versions.ts';
import { type Call, Calls } from './in-flight-calls.ts';
import { OK, type LoadResult, type Refused, refused } from './load-result.ts';
import { leftBehind } from './package-use/left-behind.ts';
import { type Owned, ownedBy } from './package-use/owned.ts';
import { compileVersion, evaluateVersion } from './loader.ts';
import { moduleErrors } from './module-errors.ts';
import { dropPreviousData } from './module-state.ts';
import { ModuleTable } from './module-table.ts';
import { type Assignment, type HeadOfModule, Heads } from './heads.ts';
import { CompiledRevisions } from './revisions/compiled-revisions.ts';
import { servedRequests } from './served-requests.ts';
import { closeIdle, purge, type Slots } from './version-slots.ts';
import { createSuspensions, type Suspensions } from './state/suspension.ts';
import type { BundleInfo, Version } from './version.ts';

/** The default limits: those of the settings, without one for memory. */
const DRAINING_LIMITS: DrainingLimits = { maxVersions: 8, memoryExcess: () => null };

type OptionalDeps = 'logMaxCharsPerSecond' | 'logs' | 'bans' | 'activity' | 'memoryShortage';
interface Options extends Partial<Pick<ActivatorDeps, OptionalDeps>> {
  readonly draining?: DrainingLimits;
  /** How long running calls can hold up a `codeChange`. */
  readonly codeChangeTimeoutMs?: number;
  /** The packages that modules share. */
  readonly packages?: Pick<Packages, 'collectLater'>;
  readonly resources?: ScopedResources;
}

/** A call that has ended. */
interface EndedCall {
  /** See {@link CodeServer.startOfCall}. */
  readonly startedAt: number;
  readonly failed: boolean;
  /** Of an HTTP response; null for all other calls. */
  readonly status: number | null;
}

type OnEnded = (module: string, call: EndedCall) => void;

/**
 * Hosts the modules of one node, like OTP's code server: for each module the current version, those that drain, and compiled
 * revisions beside them.
 */
export class CodeServer {
  readonly #modules = new ModuleTable();
  readonly #compiled: CompiledRevisions;
  readonly errors = moduleErrors(this.#modules);
  readonly #calls = new Calls();
  readonly #draining: ReturnType<typeof drainingVersions>;
  readonly suspensions: Suspensions;
  readonly #ending: EndingVersions;
  readonly #leftBehind: ReturnType<typeof leftBehind>;
  readonly #packages: Options['packages'];
  readonly #resources: ScopedResources | null;
  /** The versions of no module. */
  readonly #alone = new Set<Version>();
  #stopped = false;
  /** Called when a version has closed. */
  readonly #onClosed = new Set<() => void>();
  readonly #deps: ActivatorDeps;
  readonly #activator: Activator;
  readonly #heads: Heads;
  readonly #onChanged: ((modules: readonly string[]) => void)[] = [];
  #onEnded: OnEnded | null = null;
  #changes = 0;

  constructor(
    log: Logger,
    { draining = DRAINING_LIMITS, codeChangeTimeoutMs = 500, resources, ...options }: Options = {},
  ) {
    const [modules, calls, errors] = [this.#modules, this.#calls, this.errors];
    this.#compiled = new CompiledRevisions(modules, log);
    this.#draining = drainingVersions(modules, calls, draining);
    this.suspensions = createSuspensions(modules, calls, codeChangeTimeoutMs, log);
    this.#packages = options.packages;
    this.#resources = resources ?? null;
    this.#leftBehind = leftBehind(modules, resources ?? null, log);
    this.#ending = endingVersions(modules, calls, version => this.#ended(version));
    const own = { modules, calls, draining: this.#draining, ending: this.#ending, errors };
    const defaults = {
      bans: new Bans(),
      activity: new ActivityBuffer(),
      memoryShortage: () => null,
      logs: new ModuleLogs(),
    };
    const serving = servedRequests(this);
    this.#deps = { ...own, ...defaults, logMaxCharsPerSecond: Infinity, ...options, log, serving };
    this.#activator = createActivator(this.#deps);
    this.#heads = new Heads({
      modules,
      bans: this.#deps.bans,
      activator: this.#activator,
      purge: module => this.purge(module),
      makeRoom: module => this.#close(module, this.#draining.withRoom),
      onRefused: (heads, refusal) => this.refuse(heads, refusal),
      onApplied: applied => {
        this.#changed(applied);
        this.#collectPackages();
      },
    });
  }

  /** Sees what versions print and throw. */
  get logs(): ModuleLogs {
    return this.#deps.logs;
  }

  /** Compiles a bundle whose packages are ready, and keeps it. The running version does not change. */
  prepare(bundle: Bundle, packages: ReadySet | null = null): LoadResult {
    if (packages?.hash !== bundle.packages) return refused('nofile', 'its packages are not ready');
    const refusal = this.#activator.checkRoom([bundle]);
    if (refusal !== null) return refusal;
    try {
      this.#compiled.keep(bundle, packages);
    } catch (error) {
      return refused('badfile', this.errors.describeInLine(error));
    }
    this.#collectPackages();
    return OK;
  }

  /** The refusal of a bundle that needs more memory than the node has left; null when there is room. */
  checkMemory(bundle: BundleInfo): Refused | null {
    return this.#activator.checkMemory([bundle]);
  }

  /** Whether a revision can be loaded without its bundle. */
  isPrepared(module: string, revision: string): boolean {
    return this.#compiled.has(module, revision);
  }

  /** The refusal that a load gets now because of a ban or of the versions that drain; null when there is none. */
  checkLoad(target: Target): Refused | null {
    const { checkNumber, checkMemory } = this.#draining;
    return this.#activator.checkBan(target) ?? checkNumber(target.module) ?? checkMemory();
  }

  /** Loads a prepared revision on this node alone, without a head. */
  loadHere(target: Target): LoadResult {
    const result = this.#activator.activate([target]);
    if (result.status === 'refused') return result;
    const state = this.#modules.of(target.module);
    state.headRunning = 0;
    dropPreviousData(state);
    this.#changed([target.module]);
    return result;
  }

  /** Evaluates prepared revisions on a copy of the live data and ends them immediately. */
  dryRun(targets: readonly Target[]): DryRun {
    const changed: DryRunTarget[] = [];
    for (const { module, revision } of targets) {
      const state = this.#modules.get(module);
      const prepared = state?.compiled.get(revision);
      if (state !== undefined && state.slots.current?.revision === revision) continue;
      if (state === undefined || prepared === undefined) return notPrepared(module, revision);
      const live = { data: state.data, current: state.slots.current };
      changed.push({ prepared, live, environment: this.#activator.environmentOf(prepared.bundle) });
    }
    return dryRun(changed, this.#activator.hotImports, this.errors.describeInLine);
  }

  /** See {@link Heads.commit}. */
  commit(assignments: readonly Assignment[]): LoadResult {
    return this.#heads.commit(assignments);
  }

  /** See {@link Heads.retry}. */
  retry(assignments: readonly Assignment[]): LoadResult {
    return this.#heads.retry(assignments);
  }

  /** See {@link ModuleTable.dropUnneededData}. */
  dropUnneededData(digest: DigestRequest): void {
    this.#modules.dropUnneededData(digest);
  }

  /** See {@link Heads.refuse}. */
  refuse(heads: readonly HeadOfModule[], refusal: Refused): Refused {
    return this.#heads.refuse(heads, refusal);
  }

  /** See {@link Heads.isRefused}. */
  isRefused(head: HeadOfModule): boolean {
    return this.#heads.isRefused(head);
  }

  /** See {@link Heads.newestSeen}. */
  headSeen(module: string): number {
    return this.#heads.newestSeen(module);
  }

  /** See {@link CompiledRevisions.importsOf}. */
  importsOf(module: string, revision: string): readonly string[] {
    return this.#compiled.importsOf(module, revision);
  }

  /** Calls `callback` with the modules that were loaded or removed, each time that some were. */
  onChanged(callback: (modules: readonly string[]) => void): void {
    this.#onChanged.push(callback);
  }

  #changed(modules: readonly string[]): void {
    this.#changes += modules.length;
    for (const callback of this.#onChanged) callback(modules);
  }

  /** Sets what is called with each call that has ended. */
  onEnded(callback: OnEnded | null): void {
    this.#onEnded = callback;
  }

  /** How many modules were loaded, swapped or removed since the start. */
  get changes(): number {
    return this.#changes;
  }

  /** The version that new calls use; null when the module is not loaded, or after {@link stop}. */
  current(module: string): Version | null {
    return this.#stopped ? null : (this.#modules.get(module)?.slots.current ?? null);
  }

  /** What an import of `hot:<module>` gives: at each use, the exports of the current version. */
  liveExports(module: string): Record<string, unknown> {
    return this.#activator.hotImports.of(module);
  }

  /** Evaluates code that is no module. It is in no slot: its caller ends it. */
  evaluateAlone(bundle: Bundle, packages: ReadySet | null = null): Version {
    const prepared = compileVersion(bundle, packages);
    const version = evaluateVersion(prepared, { ...this.#activator.environmentOf(bundle), data: {} });
    this.#alone.add(version);
    return version;
  }

  /** Ends a version that was evaluated alone. */
  endAlone(version: Version): void {
    this.#alone.delete(version);
    void version.lifetime.end();
    this.#collectPackages();
  }

  /** Runs code of a version. What it starts, prints to `output` and fails to catch is attributed to the version. */
  run<T>(version: Version, output: Output | null, body: () => T): T {
    return runInContext(version.owner, output, () => this.#deps.activity.track(version.owner.script, body));
  }

  /** Calls a method of a version for a request. It is a version's code as in {@link run}; what it prints is in the log only. */
  serve<Args extends unknown[], T>(version: Version, method: (...args: Args) => T, owner: object, ...args: Args): T {
    const { activity } = this.#deps;
    const before = activity.enter(version.owner.script);
    try {
      return callInScope(version.scope, method, owner, ...args);
    } finally {
      activity.leave(before);
    }
  }

  /** See {@link Calls.begin}. */
  beginCall(version: Version, method: string | null, target: string): Call {
    const call = this.#calls.begin(version, method, target);
    call.startedAt = this.startOfCall();
    return call;
  }

  /** See {@link Calls.returned}. */
  returned(call: Call): void {
    this.#calls.returned(call);
  }

  /** When a call starts that starts now, by `performance.now`; 0 when nobody wants to know. */
  startOfCall(): number {
    return this.#onEnded === null ? 0 : performance.now();
  }

  /** Counts a call that has ended. `startedAt`: see {@link startOfCall}. `status`: of an HTTP response. */
  countCall(version: Version, failed: boolean, startedAt: number, status: number | null): void {
    version.ended += 1;
    if (status !== null) version.requests += 1;
    if (failed) version.errors += 1;
    this.#onEnded?.(version.module, { startedAt, failed, status });
  }

  /** Ends a call. A draining version closes with its last call. `status`: of an HTTP response. */
  endCall(call: Call, failed: boolean, status: number | null = null): void {
    this.countCall(call.version, failed, call.startedAt, status);
    for (const version of this.#calls.end(call)) {
      if (version.calls > 0) continue;
      this.#close(version.module, slots => closeIdle(slots, each => each === version));
    }
  }

  /** Purges the draining versions of a module: their calls fail, and everything that they opened is closed. */
  purge(module: string): void {
    this.#close(module, purge);
  }

  /** Waits until as many versions drain that one more can, at most `timeoutMs` (milliseconds). */
  async waitForRoom(module: string, timeoutMs: number): Promise<void> {
    const hasRoom = (): boolean => this.#draining.checkNumber(module) === null;
    if (hasRoom()) return;
    let onClosed = (): void => undefined;
    const room = new Promise<void>(resolve => {
      onClosed = () => hasRoom() && resolve();
    });
    this.#onClosed.add(onClosed);
    await orNullAfter(timeoutMs, room);
    this.#onClosed.delete(onClosed);
  }

  /** Resolves when all versions that end now have ended, with their dispose callbacks. */
  async untilEnded(): Promise<void> {
    await this.#ending.untilEnded();
  }

  /** The number of calls that run on all versions, or wait for a change of data. */
  get callsInFlight(): number {
    return this.#calls.size + this.suspensions.waiting;
  }

  /** See {@link ModuleTable.describe}. */
  describe(): NodeDescription['modules'] {
    return this.#modules.describe();
  }

  /** See {@link Draining.describe}. */
  describeDraining(): NodeDescription['draining'] {
    return this.#draining.describe();
  }

  /** What versions that have ended have left open in packages, by their scripts. */
  describeLeftBehind(): NonNullable<NodeDescription['leftBehind']> {
    return this.#leftBehind.describe();
  }

  /** What the versions that run have opened. */
  get owned(): readonly Owned[] {
    return ownedBy(this.#modules.versions, this.#resources);
  }

  /** The hashes of the package sets that revisions use which run, end, or can be loaded. */
  packagesInUse(): ReadonlySet<string> {
    const compiled = this.#modules.states.flatMap(state => [...state.compiled.values()]);
    const users = [...compiled, ...this.#modules.versions, ...this.#ending.versions, ...this.#alone];
    return new Set(users.flatMap(({ packages }) => (packages === null ? [] : [packages.hash])));
  }

  /** See {@link ModuleTable.refusals}. */
  refusals(): NodeDescription['refusals'] {
    return this.#modules.refusals();
  }

  /** Closes the ports that modules listen on. Requests that run go on. */
  closePorts(): void {
    for (const { lifetime } of this.#modules.versions) lifetime.replace('removed');
  }

  /** Ends all versions; calls that still run fail. Waits for dispose callbacks at most `timeoutMs` (milliseconds). */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopped = true;
    this.#leftBehind.stop();
    this.#modules.states.forEach(dropPreviousData);
    const { closeKept } = this.#activator;
    await this.#ending.endAll(timeoutMs, async () => Promise.all(this.#modules.names.map(closeKept)));
  }

  #ended(version: Version): void {
    this.#leftBehind.reportLater(version);
    this.#activator.closeUnused(version.module);
    this.#collectPackages();
  }

  #collectPackages(): void {
    this.#packages?.collectLater(() => this.packagesInUse());
  }

  #close(module: string, change: (slots: Slots<Version>) => Slots<Version>): void {
    const slots = this.#modules.get(module)?.slots;
    if (slots === undefined) return;
    this.#activator.setSlots(module, change(slots));
    for (const onClosed of this.#onClosed) onClosed();
    this.#collectPackages();
  }
}
