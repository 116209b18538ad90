import { pingAnswer } from '../../../../protocol/messages.ts';
import { askNodes, rowsOf } from '../../fleet/ask-nodes.ts';
import type { Handler } from '../context.ts';
import { selectNodes } from '../select-nodes.ts';

/** Asks one node, those of a group, or all, for an answer. @throws UsageError when there is no such node or group. */
export const ping: Handler<'ping'> = async (context, { node: named, group, timeoutMs }, report, signal) => {
  const asked = await selectNodes(context, await context.membership.expected(), { node: named, group }, report);
  const answers = await askNodes(context, { verb: 'ping', ...asked, timeoutMs, signal, schema: pingAnswer });
  const nodes = rowsOf(asked, answers, ({ node }, ms) => ({ node, status: 'pong' as const, ms }));
  return { command: 'ping', nodes };
};
