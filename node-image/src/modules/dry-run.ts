import { copyData } from './state/copy-data.ts';
import { evaluateTogether, type Member } from './evaluate-together.ts';
import type { HotImports } from './hot-imports.ts';
import type { Environment, Prepared } from './loader.ts';
import { type Refused, refused } from './load-result.ts';
import { changesInPlace, evaluateOver, type Live, migratesFrom } from './state/state-migration.ts';

/** Whether revisions would load; `not_tried` when that can't be found out without a change of the running modules. */
export type DryRun = { status: 'would_load' } | { status: 'not_tried'; detail: string } | Refused;

/** A prepared revision, what it would be evaluated over, and its environment. */
export interface DryRunTarget {
  readonly prepared: Prepared;
  readonly live: Live;
  readonly environment: Omit<Environment, 'data'>;
}

/**
 * Evaluates revisions together on deep copies of the live data, and calls their `codeChange`, in the order of a commit. They
 * all end in the same turn of the event loop, so that none of their timers fires.
 *
 * @param describe describes what they throw on one line.
 */
export function dryRun(
  targets: readonly DryRunTarget[],
  hotImports: HotImports,
  describe: (thrown: unknown) => string,
): DryRun {
  const members: Member[] = [];
  for (const { prepared, live, environment } of targets) {
    if (changesInPlace(prepared) && migratesFrom(prepared, live) !== null) {
      return { status: 'not_tried', detail: `${prepared.bundle.module} changes its data in place` };
    }
    const evaluate = () => evaluateOver({ ...live, data: copyData(live.data) }, prepared, environment);
    members.push({ prepared, evaluate });
  }
  const tried = evaluateTogether(members, hotImports);
  if (tried.status === 'failed') return refused('on_load_failure', describe(tried.error));
  tried.restore();
  for (const { lifetime } of tried.versions) void lifetime.end();
  return { status: 'would_load' };
}
