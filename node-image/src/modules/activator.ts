import { MAX_MODULES } from '../../../protocol/limits.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import type { Logger } from '../../../shared/logger.ts';
import { VersionLogger } from '../sandbox/version-logger.ts';
import type { ActivityBuffer } from '../watchdog/activity-buffer.ts';
import type { Bans } from '../watchdog/bans.ts';
import { HotImports } from './hot-imports.ts';
import type { Calls } from './in-flight-calls.ts';
import { banned, notPurged, OK, type LoadResult, type Refused, refused } from './load-result.ts';
import { type Environment, evaluateVersion, type Prepared } from './loader.ts';
import type { ModuleErrors } from './module-errors.ts';
import { setData } from './module-state.ts';
import type { ModuleTable } from './module-table.ts';
import { migrateState, migratesState, restoreData } from './state-migration.ts';
import { type BundleInfo, scriptName, type Version } from './version.ts';
import { load, purge, type Slots } from './version-slots.ts';

const TOO_MANY_MODULES = refused('system_limit', `a node runs at most ${MAX_MODULES} modules; remove some first`);

/** A prepared revision to activate. */
export interface Target {
  readonly module: string;
  readonly revision: string;
  /** Whether another node refused the current version, so that the data before it comes back. */
  readonly revert?: boolean;
}

export interface ActivatorDeps {
  readonly modules: ModuleTable;
  readonly calls: Calls;
  readonly errors: ModuleErrors;
  readonly bans: Bans;
  readonly activity: ActivityBuffer;
  readonly log: Logger;
  readonly logMaxCharsPerSecond: number;
}

/** Activates prepared revisions, and sets the slots of modules. */
export class Activator {
  readonly #deps: ActivatorDeps;
  readonly #hotImports = new HotImports();

  constructor(deps: ActivatorDeps) {
    this.#deps = deps;
  }

  /** Evaluates all targets, then makes all of them current in this turn of the event loop, or none (`code:atomic_load`). */
  activate(targets: readonly Target[]): LoadResult {
    const ready = this.#check(targets);
    if ('status' in ready) return ready;
    const { modules, activity, errors, log } = this.#deps;
    const next: Version[] = [];
    const before = targets.map(({ module }) => ({ ...modules.of(module).data }));
    for (const [index, prepared] of ready.entries()) {
      const { module, revision } = prepared.bundle;
      try {
        const evaluate = (): Version => this.#evaluate(prepared, targets[index]?.revert ?? false);
        next.push(activity.track(scriptName(prepared.bundle), evaluate));
      } catch (error) {
        for (const version of next) void version.lifetime.end();
        targets.forEach((target, each) => restoreData(modules.of(target.module).data, before[each] ?? {}));
        log.error(
          { module, revision: shortRevision(revision), err: errors.describe(error) },
          'refused: it threw while it loaded',
        );
        return refused('on_load_failure', error);
      }
    }
    for (const version of next) {
      const state = modules.of(version.module);
      setData(state, version.data);
      this.setSlots(version.module, load(state.slots, version));
      log.info({ module: version.module, revision: shortRevision(version.revision) }, 'loaded');
    }
    return OK;
  }

  /** The refusal of modules that would exceed the maximum number; null when there is room. */
  checkRoom(targets: readonly Pick<Target, 'module'>[]): Refused | null {
    const { modules } = this.#deps;
    const added = targets.filter(({ module }) => !modules.get(module)?.slots.current).length;
    return added > 0 && modules.loaded + added > MAX_MODULES ? TOO_MANY_MODULES : null;
  }

  /** The refusal of a revision that brought this node down before; null for every other revision. */
  checkBan(target: Target): Refused | null {
    const ban = this.#deps.bans.of(scriptName(target));
    return ban === null ? null : banned(ban);
  }

  /** The refusal of a load while calls run on an old version that the load would push out; null when nothing blocks it. */
  checkOld(module: string): Refused | null {
    const slots = this.#deps.modules.get(module)?.slots;
    return slots?.current && slots.old ? notPurged(slots.old) : null;
  }

  /** What a bundle is evaluated with, apart from its data. */
  environmentOf({ module, revision }: BundleInfo): Omit<Environment, 'data'> {
    const { log, logMaxCharsPerSecond, errors } = this.#deps;
    return {
      log: new VersionLogger(log, module, revision, logMaxCharsPerSecond),
      hotImport: name => this.#hotImports.of(name),
      onError: (version, error) => errors.count(version, error),
    };
  }

  /** Sets the slots of a module: hot imports use the new current version, and an old version without calls is purged. */
  setSlots(module: string, slots: Slots<Version>): void {
    const { modules, calls } = this.#deps;
    const state = modules.of(module);
    const { current: replaced, old } = state.slots;
    if (replaced !== null && replaced !== slots.current)
      calls.countImporters(replaced, name => modules.importsOf(name));
    state.slots = slots.old?.calls === 0 ? purge(slots) : slots;
    this.#hotImports.setExports(module, slots.current?.exports ?? null);
    for (const version of new Set([replaced, old, slots.old])) {
      if (version === null || version === state.slots.current || version === state.slots.old) continue;
      calls.failOn(version);
      void version.lifetime.end({ removed: state.slots.current === null });
    }
  }

  /** The compiled revisions of the targets, or the first refusal. */
  #check(targets: readonly Target[]): Prepared[] | Refused {
    const refusal = this.checkRoom(targets) ?? firstRefusal(targets, target => this.checkBan(target));
    if (refusal !== null) return refusal;
    const ready: Prepared[] = [];
    for (const { module, revision } of targets) {
      const prepared = this.#deps.modules.get(module)?.compiled.get(revision);
      if (prepared === undefined) return notPrepared(module, revision);
      ready.push(prepared);
    }
    return firstRefusal(targets, ({ module }) => this.checkOld(module)) ?? ready;
  }

  /** Evaluates a prepared revision. One with a `codeChange` gets new data, made from a copy of the module's. */
  #evaluate(prepared: Prepared, revert: boolean): Version {
    const { module, revision, exports } = prepared.bundle;
    const { data: current, previous, slots } = this.#deps.modules.of(module);
    const restored = revert && previous?.revision === revision ? previous.data : null;
    const from = migratesState(exports) && restored === null ? slots.current : null;
    const data = restored ?? current;
    const environment = this.environmentOf(prepared.bundle);
    const version = evaluateVersion(prepared, { data: from === null ? data : {}, ...environment });
    try {
      if (from !== null) Object.assign(version.data, migrateState(version, structuredClone(data), from.revision));
    } catch (error) {
      void version.lifetime.end();
      throw error;
    }
    return version;
  }
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
