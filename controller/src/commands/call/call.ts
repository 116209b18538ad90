import * as v from 'valibot';

import { encode } from '../../../../protocol/codec.ts';
import { groupsOf, type Head, revisionsOf } from '../../../../protocol/head.ts';
import { type CallAnswer, callAnswer, type CallRequest, malformedAnswer } from '../../../../protocol/messages.ts';
import type { Groups } from '../../../../protocol/placement/groups.ts';
import { encodeArguments } from '../../../../protocol/values/encode.ts';
import { askNodes, rowsOf } from '../../fleet/ask-nodes.ts';
import { parseCall } from './parse-call.ts';
import type { Handler } from '../context.ts';
import { expectedNodes, nodesIn, selectNodes } from '../select-nodes.ts';

const callReply = v.variant('status', [callAnswer, malformedAnswer]);

/**
 * Calls a function on one node, on those of a group, or on all that the module is for.
 *
 * @throws UsageError when the text is not a call, or there is no such node or group.
 */
export const call: Handler<'call'> = async (context, command, report, signal) => {
  const { call: text, node, group, stack, id, timeoutMs, traceparent } = command;
  const { module, path, args } = parseCall(text);
  const [name, ...inner] = path;
  const target = { module, function: name, ...(inner.length === 0 ? {} : { path: inner }) };
  const carried = traceparent === undefined ? {} : { traceparent };
  const body = encode({ ...target, args: encodeArguments(args), id, ...carried } satisfies CallRequest);
  const members = await context.membership.expected();
  const isNamed = node !== null || group !== undefined;
  const selected = isNamed
    ? await selectNodes(context, members, { node, group }, report)
    : nodesIn(deployedTo(context.store.knownHead(module)), expectedNodes(members, report), members);
  // A node answers the calls that it took before it left.
  const asked = { ...selected, departed: members.ended };
  const answers = await askNodes(context, { verb: 'call', ...asked, timeoutMs, signal, schema: callReply, body });
  const nodes = rowsOf(asked, answers, (answer): CallAnswer => {
    if (answer.status !== 'malformed') return answer;
    const { detail: message } = answer;
    return { status: 'error', node: answer.node, failure: 'exception', type: 'malformed', message, output: [] };
  });
  return { command: 'call', call: text, single: node !== null, stack, nodes };
};

/** The groups that a module runs in; null: every one, or it is not deployed: then each node says so. */
function deployedTo(head: Head | null): Groups | null {
  return head === null || revisionsOf(head).length === 0 ? null : groupsOf(head);
}
