import * as v from 'valibot';

import { encode } from '../../../../protocol/codec.ts';
import { type CallAnswer, callAnswer, type CallRequest, malformedAnswer } from '../../../../protocol/messages.ts';
import { encodeArguments } from '../../../../protocol/values/encode.ts';
import { askNodes, rowsOf } from '../../fleet/ask-nodes.ts';
import { parseCall } from './parse-call.ts';
import type { Handler } from '../context.ts';
import { selectNodes } from '../select-nodes.ts';

const callReply = v.variant('status', [callAnswer, malformedAnswer]);

/** Calls a function on one node, or on all. @throws UsageError when the text is not a call, or there is no such node. */
export const call: Handler<'call'> = async (context, { call: text, node, stack, id, timeoutMs }, report, signal) => {
  const { module, path, args } = parseCall(text);
  const [name, ...inner] = path;
  const target = { module, function: name, ...(inner.length === 0 ? {} : { path: inner }) };
  const body = encode({ ...target, args: encodeArguments(args), id } satisfies CallRequest);
  const members = await context.membership.expected();
  // A node answers the calls that it took before it left.
  const asked = { ...selectNodes(members, node, report), departed: members.ended };
  const answers = await askNodes(context, { verb: 'call', node, ...asked, timeoutMs, signal, schema: callReply, body });
  const nodes = rowsOf(asked, answers, (answer): CallAnswer => {
    if (answer.status !== 'malformed') return answer;
    const { detail: message } = answer;
    return { status: 'error', node: answer.node, failure: 'exception', type: 'malformed', message, output: [] };
  });
  return { command: 'call', call: text, single: node !== null, stack, nodes };
};
