import * as v from 'valibot';

import { type CallAnswer, callAnswer, malformedAnswer } from '../../../protocol/messages.ts';
import type { CallCommand, OnReport } from '../api/command.ts';
import type { CallResult } from '../api/results.ts';
import { askNodes, rowsOf } from '../fleet/ask-nodes.ts';
import { parseCall } from './call-expression.ts';
import type { FleetContext } from './context.ts';
import { selectNodes } from './select-nodes.ts';

const callReply = v.variant('status', [callAnswer, malformedAnswer]);

/** Calls a function on one node, or on all. @throws UsageError when the text is not a call, or there is no such node. */
export async function callNodes(
  context: FleetContext,
  { call, node, stack, timeoutMs }: CallCommand,
  report: OnReport,
): Promise<CallResult> {
  const body = parseCall(call);
  const expected = selectNodes(await context.membership.expected(), node, report);
  const answers = await askNodes(context, { verb: 'call', node, expected, timeoutMs, schema: callReply, body });
  const nodes = rowsOf(expected, answers, (answer): CallAnswer => {
    if (answer.status !== 'malformed') return answer;
    const { detail: message } = answer;
    return { status: 'error', node: answer.node, failure: 'exception', type: 'malformed', message, output: [] };
  });
  return { command: 'call', call, single: node !== null, stack, nodes };
}
