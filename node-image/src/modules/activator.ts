import { MAX_MODULES } from '../../../protocol/limits.ts';
import { EXPRESSIONS } from '../../../protocol/names.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import type { Logger } from '../../../shared/logger.ts';
import { VersionLogger } from '../sandbox/version-logger.ts';
import type { ActivityBuffer } from '../watchdog/activity-buffer.ts';
import type { Bans } from '../watchdog/bans.ts';
import { evaluateTogether } from './evaluate-together.ts';
import { HotImports } from './hot-imports.ts';
import type { Draining } from './draining.ts';
import type { ModuleLogs } from '../sandbox/logs/module-logs.ts';
import type { EndingVersions } from './ending-versions.ts';
import type { Calls } from './in-flight-calls.ts';
import { OK, type LoadResult, type Refused, refused } from './load-result.ts';
import type { Environment, Prepared } from './loader.ts';
import type { ModuleErrors } from './module-errors.ts';
import { dropPreviousData, setData } from './module-state.ts';
import { type ModuleTable, versionsOf } from './module-table.ts';
import { withOnceHint } from './package-use/once-hint.ts';
import { instancesIn, warningOfReplaced } from './state/replaced-classes.ts';
import { evaluateOver, type Live, restoreData } from './state/state-migration.ts';
import { type BundleInfo, scriptName, type Version } from './version.ts';
import { closeIdle, isEmpty, load, type Slots } from './version-slots.ts';

const TOO_MANY_MODULES = refused('system_limit', `a node runs at most ${MAX_MODULES} modules; remove some first`);

/** A prepared revision to activate. */
export interface Target {
  readonly module: string;
  readonly revision: string;
  /** Whether another node refused the current version, so that the data before it comes back. */
  readonly revert?: boolean;
  /** The sequence of the head that cleared the module's state last: older data is not used. */
  readonly stateSince?: number;
  /** Whether it is loaded even if the node has little memory left: it is a step back, or forced. */
  readonly inAnyCase?: boolean;
}

export interface ActivatorDeps {
  readonly modules: ModuleTable;
  readonly calls: Calls;
  readonly draining: Draining;
  readonly ending: EndingVersions;
  readonly errors: ModuleErrors;
  /** The revisions that brought this node down before. */
  readonly bans: Bans;
  /** Shows the watchdog which module's code runs. */
  readonly activity: ActivityBuffer;
  /** For the servers of versions. */
  readonly serving: Pick<Environment, 'run' | 'untilResumed' | 'onRequest'>;
  readonly log: Logger;
  /** Says why the node has not so many bytes of live memory left, as a sentence; null when it has. */
  readonly memoryShortage: (bytes: number) => string | null;
  /** The maximum number of characters that a version logs per second. */
  readonly logMaxCharsPerSecond: number;
  /** Sees what versions print and throw. */
  readonly logs: ModuleLogs;
}

export type Activator = ReturnType<typeof createActivator>;

/** Activates prepared revisions, and sets the slots of modules. */
export function createActivator(deps: ActivatorDeps) {
  const { modules, calls, draining, ending, errors, bans, activity, serving, memoryShortage, log } = deps;
  const { logMaxCharsPerSecond, logs } = deps;
  const hotImports = new HotImports();

  /** The refusal of modules that would exceed the maximum number; null when there is room. */
  const checkRoom = (targets: readonly Pick<Target, 'module'>[]): Refused | null => {
    const added = targets.filter(({ module }) => !modules.get(module)?.slots.current).length;
    return added > 0 && modules.loaded + added > MAX_MODULES ? TOO_MANY_MODULES : null;
  };

  /** The refusal of revisions that need more memory than the node has left; null when there is room. */
  const checkMemory = (bundles: readonly Pick<BundleInfo, 'module' | 'memoryBytes'>[]): Refused | null => {
    const added = bundles.map(({ module, memoryBytes }) => {
      const current = modules.get(module)?.slots.current?.bundle.memoryBytes ?? 0;
      return Math.max(0, memoryBytes - current);
    });
    const bytes = added.reduce((sum, each) => sum + each, 0);
    const shortage = bytes === 0 ? null : memoryShortage(bytes);
    return shortage === null ? null : refused('system_limit', shortage);
  };

  /** The refusal of a revision that brought this node down before; null for every other revision. */
  const checkBan = (target: Target): Refused | null => {
    const ban = bans.of(scriptName(target));
    return ban === null
      ? null
      : { ...refused('banned', `it ${ban.detail} (push --force lifts the ban)`), cause: ban.cause };
  };

  /** The compiled revisions of the targets, or the first refusal. */
  const check = (targets: readonly Target[]): Prepared[] | Refused => {
    const refusal = checkRoom(targets) ?? firstRefusal(targets, checkBan);
    if (refusal !== null) return refusal;
    const ready: Prepared[] = [];
    for (const { module, revision } of targets) {
      const prepared = modules.get(module)?.compiled.get(revision);
      if (prepared === undefined) return notPrepared(module, revision);
      ready.push(prepared);
    }
    const needing = ready.filter((_, index) => targets[index]?.inAnyCase !== true);
    const shortage = checkMemory(needing.map(({ bundle }) => bundle));
    return shortage ?? firstRefusal(targets, ({ module }) => draining.checkNumber(module)) ?? ready;
  };

  const logCloseError = (module: string, error: unknown): void =>
    log.error({ module, err: errors.describe(error) }, 'a close of import.meta.hot.keep failed');

  /** What a bundle is evaluated with, apart from its data. */
  const environmentOf = ({ module, revision }: BundleInfo): Omit<Environment, 'data'> => ({
    // What an expression prints comes with its value.
    log: new VersionLogger(
      log,
      module,
      revision,
      logMaxCharsPerSecond,
      errors.mapPrinted,
      module === EXPRESSIONS ? null : logs,
    ),
    hotImport: (name, names) => (names === null ? hotImports.of(name) : hotImports.pick(name, names)),
    onError: errors.count,
    keeping: modules.of(module).kept.begin(error => logCloseError(module, error)),
    ...serving,
  });

  /** Whether a revision is current, and its data is from after the last clearing. */
  const isCurrent = ({ module, revision, stateSince = 0 }: Target): boolean => {
    const state = modules.of(module);
    return state.slots.current?.revision === revision && stateSince <= state.stateSince;
  };

  /** What a revision is evaluated over; without a current version there is no `codeChange`. */
  const liveFor = ({ module, revision, revert = false, stateSince = 0 }: Target): Live => {
    const state = modules.of(module);
    if (stateSince > state.stateSince) return { data: {}, current: null };
    const { data, previous, slots } = state;
    // With a newer head, the commit before is over. Two copies at the same time could exceed the memory.
    if (!revert) dropPreviousData(state);
    if (revert && previous?.revision === revision) return { data: previous.data, current: null };
    return { data, current: slots.current };
  };

  /** Sets the slots of a module: hot imports use the new current version, and draining versions without calls close. */
  const setSlots = (module: string, slots: Slots<Version>): void => {
    const state = modules.of(module);
    const { current: replaced, draining: before } = state.slots;
    if (replaced !== null && replaced !== slots.current) {
      replaced.drainingSince = performance.now();
      replaced.lifetime.replace(slots.current === null ? 'removed' : 'replaced');
      calls.countImporters(replaced, name => modules.importsOf(name));
    }
    state.slots = closeIdle(slots, ({ calls: running }) => running === 0);
    if (replaced !== slots.current) hotImports.setExports(module, slots.current);
    const kept = new Set([state.slots.current, ...state.slots.draining]);
    for (const version of replaced === null ? before : [...before, replaced]) {
      if (kept.has(version)) continue;
      const released = ending.end(version, state.slots.current === null ? 'removed' : 'purged');
      // They can be idle now. A set that makes room must not purge a version more because of a call that has failed.
      for (const { module: other } of released) setSlots(other, modules.of(other).slots);
    }
  };

  /** Closes what a module keeps, if nothing of the module is left that could use it. */
  const closeUnused = (module: string): void => {
    const isEnding = ending.versions.some(version => version.module === module);
    if (isEmpty(modules.of(module).slots) && !isEnding) void closeKept(module);
  };

  /** Closes what a module keeps. */
  const closeKept = async (module: string): Promise<void> =>
    modules.of(module).kept.close(error => logCloseError(module, error));

  /**
   * Evaluates all targets, then makes all of them current in this turn of the event loop, or none (`code:atomic_load`).
   *
   * @param isRetry whether they were refused before, so that the log has the error.
   */
  const activate = (targets: readonly Target[], isRetry = false): LoadResult => {
    const ready = check(targets);
    if ('status' in ready) return ready;
    const before = targets.map(({ module }) => ({ ...modules.of(module).data }));
    const instances = new Map(targets.map(({ module }) => [module, instancesIn(modules.of(module).data)]));
    const members = ready.map((prepared, index) => {
      const live = liveFor(targets[index] ?? prepared.bundle);
      const run = (): Version => evaluateOver(live, prepared, environmentOf(prepared.bundle));
      return { prepared, evaluate: () => activity.track(scriptName(prepared.bundle), run) };
    });
    const next = evaluateTogether(members, hotImports);
    if (next.status === 'failed') {
      targets.forEach((target, each) => restoreData(modules.of(target.module).data, before[each] ?? {}));
      const { module, revision } = next.failed.bundle;
      const fields = { module, revision: shortRevision(revision), err: errors.describe(next.error) };
      if (!isRetry) log.error(fields, 'refused: it threw while it loaded');
      const description = errors.describeInLine(next.error);
      return refused('on_load_failure', withOnceHint(next.failed, description));
    }
    const warnings = next.versions.flatMap(version => {
      const { module, revision } = version;
      const fields = { module, revision: shortRevision(revision) };
      const state = modules.of(module);
      const warning = warningOfReplaced(instances.get(module) ?? new Map(), version, versionsOf(state.slots));
      setData(state, version);
      version.keeping.accept();
      setSlots(module, load(state.slots, version));
      log.info(fields, 'loaded');
      if (warning !== null) log.warn(fields, warning);
      return warning ?? [];
    });
    return warnings.length === 0 ? OK : { ...OK, warnings };
  };

  return {
    activate,
    isCurrent,
    checkRoom,
    checkMemory,
    checkBan,
    environmentOf,
    setSlots,
    closeKept,
    closeUnused,
    hotImports,
  };
}

/** The refusal of a revision that is not compiled on this node. */
export function notPrepared(module: string, revision: string): Refused {
  return refused('nofile', `${module}@${shortRevision(revision)} is not prepared`);
}

function firstRefusal(targets: readonly Target[], check: (target: Target) => Refused | null): Refused | null {
  for (const target of targets) {
    const refusal = check(target);
    if (refusal !== null) return refusal;
  }
  return null;
}
