import * as v from 'valibot';

import { encode } from '../../../../protocol/codec.ts';
import type { Head } from '../../../../protocol/head.ts';
import { type CallAnswer, callAnswer, malformedAnswer, pingAnswer } from '../../../../protocol/messages.ts';
import { compileExpression } from '../../build/expression.ts';
import { askNodes, rowsOf } from '../../fleet/ask-nodes.ts';
import type { Answers } from '../../fleet/scatter-gather.ts';
import { missingPackages } from '../../rollout/missing-packages.ts';
import { StorageError, storageProblem } from '../../store/storage.ts';
import type { CommandContext, Handler } from '../context.ts';
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
  const nodes = { ...(await selectNodes(context, members, { node }, report)), departed: members.ended };
  const modules = [...new Set([...heads.map(({ module }) => module), ...context.availableModules()])];
  const { code, names, packages: specifiers } = await compileExpression(source, modules, kept);
  const packages = await storedPackages(context, specifiers, heads);
  const request = { session: shell, code, timeoutMs, id, packages };
  const asked = [...nodes.expected].map(async each => {
    const one = { expected: new Set([each]), only: true, departed: members.ended, signal };
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
  const rows = rowsOf(nodes, answers, (answer): CallAnswer => {
    if (answer.status !== 'malformed') return answer;
    const { detail: message } = answer;
    return { status: 'error', node: answer.node, failure: 'exception', type: 'malformed', message, output: [] };
  });
  return { command: 'evaluate', names: [...names], nodes: rows };
};

/** Puts the packages of a line into the stream, which lets them go when no head names them. Returns their hash. */
async function storedPackages(
  { store, packNamed }: Pick<CommandContext, 'store' | 'packNamed'>,
  specifiers: readonly string[],
  heads: readonly Head[],
): Promise<string | undefined> {
  const packages = await packNamed(specifiers);
  if (packages === null) return undefined;
  const missing = await missingPackages(store, [{ packages }], heads);
  const noRoom = storageProblem(await store.storage(), missing.bytes);
  if (noRoom !== null) throw new StorageError(`nothing was sent: ${noRoom}`);
  await store.putPackages(missing);
  return packages.hash;
}

/** Tells all nodes that a shell is still there, or has ended. They do not answer. */
export const session: Handler<'session'> = ({ nats, subjects }, { session: id, hasEnded }) => {
  nats.publish(subjects.all('session'), encode({ session: id, hasEnded }));
  return Promise.resolve({ command: 'session', nodes: [] });
};
