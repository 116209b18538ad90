import { encode } from '../../../protocol/codec.ts';
import { UsageError } from '../../../protocol/errors.ts';
import { purgeAnswer } from '../../../protocol/messages.ts';
import { askNodes, rowsOf } from '../fleet/ask-nodes.ts';
import type { Handler } from './context.ts';
import { expectedNodes } from './select-nodes.ts';

/**
 * Purges the draining versions of a module on every node; without force only those on which no call runs.
 *
 * @throws UsageError when the module was never pushed.
 */
export const purge: Handler<'purge'> = async (context, { module, force, timeoutMs }, report, signal) => {
  const [{ head }, members] = await Promise.all([context.store.lastHead(module), context.membership.expected()]);
  if (head === null) throw new UsageError(`${module} was never pushed, so there is nothing to purge`);
  const expected = expectedNodes(members, report);
  const body = encode({ module, force });
  const answers = await askNodes(context, { verb: 'purge', expected, timeoutMs, signal, schema: purgeAnswer, body });
  return { command: 'purge', nodes: rowsOf(expected, answers, answer => answer) };
};
