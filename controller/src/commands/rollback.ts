import { rollBack } from '../rollout/roll-back.ts';
import { changeHeads } from './change-heads.ts';
import type { Handler } from './context.ts';

/**
 * Rolls modules back: out of an open canary, else to the previous revision, or to the one that is named.
 *
 * @throws UsageError when a module has no revision to go back to.
 */
export const rollback: Handler<'rollback'> = async (context, command, report, signal, holds) =>
  changeHeads(context, command, { report, signal, holds }, () =>
    rollBack(context.store, { cause: 'operator', push: command.change, ...command }),
  );
