import { pingAnswer } from '../../../protocol/messages.ts';
import type { OnReport, PingCommand } from '../api/command.ts';
import type { PingResult } from '../api/results.ts';
import { askNodes, rowsOf } from '../fleet/ask-nodes.ts';
import type { FleetContext } from './context.ts';
import { selectNodes } from './select-nodes.ts';

/** Asks one node, or all, for an answer. @throws UsageError when there is no such node. */
export async function pingNodes(
  context: FleetContext,
  { node, timeoutMs }: PingCommand,
  report: OnReport,
): Promise<PingResult> {
  const expected = selectNodes(await context.membership.expected(), node, report);
  const answers = await askNodes(context, { verb: 'ping', node, expected, timeoutMs, schema: pingAnswer });
  const nodes = rowsOf(expected, answers, (answer, ms) => ({ node: answer.node, status: 'pong' as const, ms }));
  return { command: 'ping', nodes };
}
