import { orNullAfter } from '../../../../shared/timeout.ts';
import type { Call, Calls } from '../in-flight-calls.ts';
import type { LoadResult } from '../load-result.ts';
import type { ModuleTable } from '../module-table.ts';
import { migratesFrom } from './state-migration.ts';

/** Modules whose new calls wait. */
interface Suspension {
  readonly modules: ReadonlySet<string>;
  readonly ended: Promise<void>;
  /** When the first call came that waits; null for none. */
  firstAt: number | null;
}

export type Suspensions = ReturnType<typeof createSuspensions>;

/**
 * Suspends modules while their data changes, as OTP suspends a process for `code_change`. New calls of these modules, and of
 * all modules that import them, wait. Calls that run go on, for up to `limitMs` (milliseconds). A call that has returned a
 * response or a stream is not waited for, nor is one for which a change has waited in vain before.
 */
export function createSuspensions(modules: ModuleTable, calls: Calls, limitMs: number) {
  const active = new Set<Suspension>();
  /** The calls that a change has waited for in vain. They can take hours, so the next changes do not wait for them. */
  const outlasted = new WeakSet<Call>();
  let waiting = 0;

  /** The modules whose data changes when these revisions are loaded, and the modules that import them. */
  const suspendedBy = (targets: readonly { module: string; revision: string | null }[]): Set<string> => {
    const changed = targets.filter(({ module, revision }) => {
      const state = modules.get(module);
      const prepared = revision === null ? undefined : state?.compiled.get(revision);
      if (state === undefined || prepared === undefined || state.slots.current?.revision === revision) return false;
      return migratesFrom(prepared, { data: state.data, current: state.slots.current }) !== null;
    });
    const all = new Set(changed.map(({ module }) => module));
    // The iteration of a set includes the elements that are added during it.
    for (const module of all) for (const importer of modules.importersOf(module)) all.add(importer);
    return all;
  };

  /**
   * Loads revisions when the modules whose data they change are quiet: at once when no call runs on them. The result has the
   * longest time that a call has waited.
   */
  const whenQuiet = (
    targets: readonly { module: string; revision: string | null }[],
    load: () => LoadResult,
  ): LoadResult | Promise<LoadResult> => {
    const suspended = suspendedBy(targets);
    const running = calls.runningOn(suspended).filter(call => !outlasted.has(call));
    return running.length === 0 ? load() : loadAfter(running, suspended, load);
  };

  const loadAfter = async (
    running: readonly Call[],
    suspended: ReadonlySet<string>,
    load: () => LoadResult,
  ): Promise<LoadResult> => {
    let resume = (): void => undefined;
    const ended = new Promise<void>(resolve => (resume = resolve));
    const suspension: Suspension = { modules: suspended, ended, firstAt: null };
    active.add(suspension);
    try {
      const returned = running.map(async ({ onReturned }) => new Promise<void>(resolve => onReturned.push(resolve)));
      await orNullAfter(limitMs, Promise.all(returned));
      for (const call of running) if (!call.hasReturned) outlasted.add(call);
      const result = load();
      const { firstAt } = suspension;
      return result.status === 'refused' || firstAt === null
        ? result
        : { ...result, waitedMs: performance.now() - firstAt };
    } finally {
      active.delete(suspension);
      resume();
    }
  };

  /** Resolves when a call of a module may start; null when it may start now. */
  const untilResumed = (module: string): Promise<void> | null => {
    for (const suspension of active) {
      if (!suspension.modules.has(module)) continue;
      suspension.firstAt ??= performance.now();
      waiting += 1;
      return suspension.ended.then(() => {
        waiting -= 1;
        return untilResumed(module) ?? undefined;
      });
    }
    return null;
  };

  return {
    whenQuiet,
    untilResumed,
    /** The number of calls that wait. */
    get waiting(): number {
      return waiting;
    },
  };
}
