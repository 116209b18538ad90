import type { Logger } from '../../../../shared/logger.ts';
import { orNullAfter } from '../../../../shared/timeout.ts';
import { type Call, type Calls, nameOf } from '../in-flight-calls.ts';
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
export function createSuspensions(modules: ModuleTable, calls: Calls, limitMs: number, log: Pick<Logger, 'warn'>) {
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
      const returned = running.map(async call => new Promise<void>(resolve => call.onReturned(resolve)));
      await orNullAfter(limitMs, Promise.all(returned));
      const late = running.filter(({ hasReturned }) => !hasReturned);
      for (const call of late) outlasted.add(call);
      const result = load();
      if (result.status === 'refused') return result;
      const { firstAt } = suspension;
      const waited = firstAt === null ? {} : { waitedMs: performance.now() - firstAt };
      const warning = warningOfLate(late, limitMs);
      if (warning === null) return { ...result, ...waited };
      log.warn({ modules: [...suspended] }, warning);
      return { ...result, ...waited, warnings: [...(result.warnings ?? []), warning] };
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

/** Warns of calls that still ran at the switch, the oldest first; null when there is none. */
function warningOfLate([oldest, ...others]: readonly Call[], limitMs: number): string | null {
  if (oldest === undefined) return null;
  const what = others.length === 0 ? `a call (${nameOf(oldest)})` : `calls (the oldest: ${nameOf(oldest)})`;
  return `${what} still ran after ${limitMs} ms: what is written to the data from before the change is lost`;
}
