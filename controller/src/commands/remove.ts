import { UsageError } from '../../../protocol/errors.ts';
import { changeHeads, writeEach } from './change-heads.ts';
import type { Handler } from './context.ts';

/**
 * Removes modules from every node. Their state stays on the nodes, or is cleared too: then a module can be removed already.
 *
 * @throws UsageError when one is not deployed, or was never pushed.
 */
export const remove: Handler<'remove'> = async (context, command, report, signal, holds) => {
  const { state: clearState } = command;
  const removedBefore: string[] = [];
  const result = await changeHeads(context, command, { report, signal, holds }, () =>
    writeEach(context, command, { note: clearState ? 'remove --state' : 'remove', clearState }, (module, head) => {
      if (clearState && head === null) throw new UsageError(`${module} was never pushed, so it has no state to clear`);
      const isDeployed = Boolean(head?.revision ?? head?.canary);
      if (!isDeployed && !clearState) {
        const hint = head === null ? '' : ' (--state clears its state)';
        throw new UsageError(`${module} is not deployed, so there is nothing to remove${hint}`);
      }
      if (!isDeployed) removedBefore.push(module);
      return { revision: null, manifest: null };
    }),
  );
  if (!clearState || result.outcome !== 'committed') return result;
  const details = command.modules.map(module =>
    removedBefore.includes(module)
      ? `${module} was removed before, now its state too`
      : `removed ${module} and its state`,
  );
  return { ...result, detail: details.join('; ') };
};
