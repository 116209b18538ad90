import type { OnReport, RollbackCommand } from '../api/command.ts';
import type { HeadChangeResult } from '../api/results.ts';
import { rollBack } from '../rollout/roll-back.ts';
import { changeHeads } from './change-heads.ts';
import type { FleetContext } from './context.ts';

/**
 * Rolls modules back: out of an open canary, else to the previous revision, or to the one that is named.
 *
 * @throws UsageError when a module has no revision to go back to.
 */
export async function rollback(
  context: FleetContext,
  { modules, author, to, timeoutMs }: RollbackCommand,
  report: OnReport,
): Promise<HeadChangeResult> {
  const write = () => rollBack(context.store, { cause: 'operator', modules, to, author });
  return changeHeads(context, { command: 'rollback', timeoutMs, write }, report);
}
