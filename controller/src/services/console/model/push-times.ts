import type { Progress } from '../../../../../protocol/history/progress.ts';
import type { Change } from './change.ts';

/** So many pushes are drawn. */
const KEPT = 40;

/** How long one push took. */
export interface PushTimes {
  readonly id: string;
  readonly endedAt: number;
  readonly outcome: string;
  /** `demo`, or `demo and 3 more`. */
  readonly what: string;
  /** Its phases together, without the watching of a canary, milliseconds. */
  readonly ms: number;
  readonly compile: number;
  readonly prepare: number;
  readonly commit: number;
}

/** The pushes with one more, if a push has ended that came so far. */
export function withPush(
  pushes: readonly PushTimes[],
  change: Change,
  progress: Progress,
  at: number,
): readonly PushTimes[] {
  if (progress.step !== 'ended' || change.command !== 'push') return pushes;
  const { compile = 0, prepare = 0, write = 0, commit: answered = 0 } = progress.times;
  const commit = write + answered;
  if (commit === 0) return pushes;
  const [first] = progress.modules;
  const more = progress.modules.length - 1;
  const push: PushTimes = {
    id: change.id,
    endedAt: at,
    outcome: progress.outcome,
    what: `${first?.module ?? 'nothing'}${more > 0 ? ` and ${more} more` : ''}`,
    ms: compile + prepare + commit,
    compile,
    prepare,
    commit,
  };
  return [...pushes.slice(1 - KEPT), push];
}
