import * as v from 'valibot';

import { encode } from '../../../../protocol/codec.ts';
import { type CallAnswer, callAnswer, malformedAnswer, pingAnswer } from '../../../../protocol/messages.ts';
import { compileExpression } from '../../build/expression.ts';
import { askNodes, rowsOf } from '../../fleet/ask-nodes.ts';
import type { Answers } from '../../fleet/scatter-gather.ts';
import type { Handler } from '../context.ts';
import { selectNodes } from '../select-nodes.ts';

/** How long after the end of its time a node still can answer (milliseconds). */
const GRACE_MS = 1_000;

/** A node that says so long nothing of its process is silent (milliseconds). */
const PING_TIMEOUT_MS = 2_000;

const evaluateReply = v.variant('status', [callAnswer, malformedAnswer]);

/** Runs a line of a shell on one node, or on all. It is signed for each of them. @throws UsageError and SourceError */
export const evaluate: Handler<'evaluate'> = async (context, command, report, signal) => {
  const { source, node, session: shell, kept, id, timeoutMs } = command;
  const { membership, store } = context;
  const [members, heads] = await Promise.all([membership.expected(), store.heads()]);
  const expected = selectNodes(members, node, report);
  const modules = [...new Set([...heads.map(({ module }) => module), ...context.availableModules()])];
  const { code, names } = await compileExpression(source, modules, kept);
  const request = { session: shell, code, timeoutMs, id };
  const asked = [...expected].map(async each => {
    const one = { node: each, expected: new Set([each]), signal };
    const pings = {
      ...one,
      verb: 'ping',
      timeoutMs: Math.min(timeoutMs, PING_TIMEOUT_MS),
      schema: pingAnswer,
    } as const;
    const pong = (await askNodes(context, pings)).get(each);
    if (pong === undefined) return [];
    const body = store.signExpression(each, pong.answer.processId ?? '', request);
    return askNodes(context, {
      ...one,
      verb: 'evaluate',
      timeoutMs: timeoutMs + GRACE_MS,
      schema: evaluateReply,
      body,
    });
  });
  const answers: Answers<typeof evaluateReply> = new Map((await Promise.all(asked)).flatMap(each => [...each]));
  const nodes = rowsOf(expected, answers, (answer): CallAnswer => {
    if (answer.status !== 'malformed') return answer;
    const { detail: message } = answer;
    return { status: 'error', node: answer.node, failure: 'exception', type: 'malformed', message, output: [] };
  });
  return { command: 'evaluate', names: [...names], nodes };
};

/** Tells all nodes that a shell is still there, or has ended. They do not answer. */
export const session: Handler<'session'> = ({ nats, subjects }, { session: id, hasEnded }) => {
  nats.publish(subjects.all('session'), encode({ session: id, hasEnded }));
  return Promise.resolve({ command: 'session', nodes: [] });
};
