import { encode } from '../../../protocol/codec.ts';
import { UsageError } from '../../../protocol/errors.ts';
import { purgeAnswer } from '../../../protocol/messages.ts';
import { askNodes, rowsOf } from '../fleet/ask-nodes.ts';
import type { Handler } from './context.ts';
import { selectNodes } from './select-nodes.ts';

/**
 * Purges the draining versions of a module on one node, those of a group, or all; without force only those on which no call runs.
 *
 * @throws UsageError when there is no such node or group, or the module was never pushed: then one node alone can have it.
 */
export const purge: Handler<'purge'> = async (context, command, report, signal) => {
  const { module, force, node = null, group, timeoutMs } = command;
  const [{ head }, members] = await Promise.all([context.store.lastHead(module), context.membership.expected()]);
  if (head === null && node === null) throw new UsageError(`${module} was never pushed, so there is nothing to purge`);
  const nodes = await selectNodes(context, members, { node, group }, report);
  const body = encode({ module, force });
  const asked = { verb: 'purge', ...nodes, timeoutMs, signal, schema: purgeAnswer, body } as const;
  const answers = await askNodes(context, asked);
  return { command: 'purge', nodes: rowsOf(nodes, answers, answer => answer) };
};
