import { pingAnswer } from '../../../../protocol/messages.ts';
import { askNodes, rowsOf } from '../../fleet/ask-nodes.ts';
import type { Handler } from '../context.ts';
import { selectNodes } from '../select-nodes.ts';

/** Asks one node, or all, for an answer. @throws UsageError when there is no such node. */
export const ping: Handler<'ping'> = async (context, { node: named, timeoutMs }, report, signal) => {
  const asked = selectNodes(await context.membership.expected(), named, report);
  const answers = await askNodes(context, {
    verb: 'ping',
    node: named,
    ...asked,
    timeoutMs,
    signal,
    schema: pingAnswer,
  });
  const nodes = rowsOf(asked, answers, ({ node }, ms) => ({ node, status: 'pong' as const, ms }));
  return { command: 'ping', nodes };
};
