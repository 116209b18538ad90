import { UsageError } from '../../../protocol/errors.ts';
import type { HistoryResult } from '../api/results.ts';
import type { StreamStore } from '../store/stream-store.ts';

/** The kept heads of a module with what came of each, newest first. @throws UsageError when it was never pushed. */
export async function history(store: StreamStore, module: string): Promise<HistoryResult> {
  const [heads, outcomes] = await Promise.all([store.history(module), store.headResultHistory(module)]);
  if (heads.length === 0) throw new UsageError(`${module} was never pushed, so it has no history`);
  const bySequence = new Map(outcomes.map(outcome => [outcome.sequence, outcome]));
  return {
    command: 'history',
    module,
    heads: heads.toReversed().map(head => ({ ...head, outcome: bySequence.get(head.sequence) ?? null })),
  };
}
