import type { Bans } from '../watchdog/bans.ts';
import type { Activator, Target } from './activator.ts';
import { OK, type LoadResult, type Refused, refused } from './load-result.ts';
import { clearData } from './module-state.ts';
import type { ModuleTable } from './module-table.ts';
import { scriptName } from './version.ts';
import { remove } from './version-slots.ts';

/** What a head requests of this node; a null revision removes the module. */
export interface Assignment extends Omit<Target, 'revision'> {
  readonly revision: string | null;
  readonly sequence: number;
  /** Whether to purge the versions that drain. */
  readonly force: boolean;
  /** Whether to purge the oldest draining versions, as many as the load needs, rather than to refuse it. */
  readonly makeRoom: boolean;
  /** Whether no operator asked for it: it lifts no ban. */
  readonly automatic?: boolean;
}

export type HeadOfModule = Pick<Assignment, 'module' | 'sequence'>;

interface HeadsDeps {
  readonly modules: ModuleTable;
  readonly bans: Bans;
  readonly activator: Pick<Activator, 'activate' | 'isCurrent' | 'setSlots'>;
  /** Purges the draining versions of a module: all, or as many as a load needs. */
  readonly purge: (module: string) => void;
  readonly makeRoom: (module: string) => void;
  /** Called with heads that can't be applied: ends in {@link Heads.refuse}. */
  readonly onRefused: (heads: readonly Assignment[], refusal: Refused) => Refused;
  /** Called with the modules of heads that were applied. */
  readonly onApplied: (modules: readonly string[]) => void;
}

/** The newest head of each module that this node has seen, and what came of it. */
export class Heads {
  readonly #deps: HeadsDeps;

  constructor(deps: HeadsDeps) {
    this.#deps = deps;
  }

  /**
   * Applies heads that were written together: evaluates all of their prepared revisions, then activates all of them in
   * this turn of the event loop, or none. Each head is applied once; when it comes again, the result is that of the last try.
   * A head that is older than the newest one of its module is refused.
   */
  commit(assignments: readonly Assignment[]): LoadResult {
    for (const { module, sequence } of assignments) {
      if (sequence < this.newestSeen(module)) return refused('outdated', `a newer head of ${module} was seen`);
    }
    const unseen = assignments.filter(({ module, sequence }) => sequence > this.newestSeen(module));
    if (unseen.length > 0) return this.#apply(unseen, false);
    const results = assignments.map(({ module }) => this.#deps.modules.of(module).headResult);
    return results.find(({ status }) => status === 'refused') ?? OK;
  }

  /** Tries heads again that this node refused. Heads that were applied or replaced meanwhile are left out. */
  retry(assignments: readonly Assignment[]): LoadResult {
    const refusedOnes = assignments.filter(head => this.isRefused(head));
    return this.#apply(refusedOnes, true);
  }

  /** Refuses heads that can't be tried. */
  refuse(heads: readonly HeadOfModule[], refusal: Refused): Refused {
    for (const { module, sequence } of heads) {
      const state = this.#deps.modules.of(module);
      if (sequence <= state.headSeen && !this.isRefused({ module, sequence })) continue;
      state.headSeen = sequence;
      state.headResult = refusal;
    }
    return refusal;
  }

  /** Whether this node refused a head, and has not seen a newer one. */
  isRefused({ module, sequence }: HeadOfModule): boolean {
    const state = this.#deps.modules.get(module);
    return state?.headSeen === sequence && state.headResult.status === 'refused';
  }

  /** The sequence of the newest head of a module that this node has seen; 0 for none. */
  newestSeen(module: string): number {
    return this.#deps.modules.get(module)?.headSeen ?? 0;
  }

  #apply(heads: readonly Assignment[], isRetry: boolean): LoadResult {
    const { modules, bans, activator, purge, makeRoom, onRefused, onApplied } = this.#deps;
    const targets = heads.flatMap(({ revision, ...head }) => {
      if (revision === null || activator.isCurrent({ ...head, revision })) return [];
      return [{ ...head, revision, inAnyCase: head.force || head.makeRoom || head.revert === true }];
    });
    for (const head of heads) {
      const { module, revision, sequence, automatic = false } = head;
      if (head.force) purge(module);
      else if (!head.makeRoom) continue;
      else if (targets.some(target => target.module === module)) makeRoom(module);
      if (revision !== null && !automatic) bans.lift(scriptName({ module, revision }), sequence);
    }
    const result = activator.activate(targets, isRetry);
    if (result.status === 'refused') return onRefused(heads, result);
    for (const { module, revision, sequence, stateSince = 0 } of heads) {
      const state = modules.of(module);
      if (revision === null) this.#remove(module);
      if (stateSince > state.stateSince) clearData(state, stateSince);
      state.headSeen = sequence;
      state.headResult = result;
      state.headRunning = sequence;
    }
    onApplied(heads.map(({ module }) => module));
    return result;
  }

  #remove(module: string): void {
    const state = this.#deps.modules.of(module);
    this.#deps.activator.setSlots(module, remove(state.slots));
    // What could be loaded again would hold its packages. It is read from the stream then.
    for (const [revision, { packages }] of state.compiled) if (packages !== null) state.compiled.delete(revision);
  }
}
