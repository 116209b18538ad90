import * as v from 'valibot';

import { decode, encode } from '../../../protocol/codec.ts';
import { UnavailableError, UsageError } from '../../../protocol/errors.ts';
import {
  type CallAnswer,
  callAnswer,
  malformedAnswer,
  type NodeDescription,
  nodeDescription,
  pingAnswer,
  purgeAnswer,
} from '../../../protocol/messages.ts';
import { compareNodes } from '../../../protocol/names.ts';
import type { Verb } from '../../../protocol/subjects.ts';
import { parseCall } from '../commands/call-expression.ts';
import type { Command, OnReport } from '../api/command.ts';
import { selectNode, expectedNodes } from './membership.ts';
import { scatterGather, type Timed } from './scatter-gather.ts';
import type { CallResult, NodesResult, PingResult, PurgeResult, StatusResult } from '../api/results.ts';
import type { HeadParts } from '../commands/rollback.ts';
import { compareWithHeads } from '../commands/status-rows.ts';

/** How often `nodes --wait` looks again (milliseconds). */
const WAIT_STEP = 100;

const callReply = v.variant('status', [callAnswer, malformedAnswer]);

/** Calls a function on one node, or on all. @throws UsageError when the text is no call, or the node is not there. */
export async function callNodes(
  parts: HeadParts,
  { call, node, timeoutMs, stack }: Extract<Command, { readonly type: 'call' }>,
  say: OnReport,
): Promise<CallResult> {
  const request = parseCall(call);
  const names = selectNode(await parts.fleet.expected(), node, say);
  const answers = await ask(parts, 'call', node, names, timeoutMs, callReply, request);
  const nodes = rows(names, answers, (answer): CallAnswer => {
    if (answer.status !== 'malformed') return answer;
    const { detail: message } = answer;
    return { status: 'error', node: answer.node, failure: 'exception', type: 'malformed', message, output: [] };
  });
  return { command: 'call', call, single: node !== null, stack, nodes };
}

/**
 * Lets go of a module's old version on every node; without force only where no call runs on it.
 *
 * @throws UsageError when the module was never pushed.
 */
export async function purgeNodes(
  parts: HeadParts,
  { module, force, timeoutMs }: Extract<Command, { readonly type: 'purge' }>,
  say: OnReport,
): Promise<PurgeResult> {
  const [{ head }, expected] = await Promise.all([parts.store.lastHead(module), parts.fleet.expected()]);
  if (head === null) throw new UsageError(`${module} was never pushed, so there is nothing to purge`);
  const names = expectedNodes(expected, say);
  const answers = await ask(parts, 'purge', null, names, timeoutMs, purgeAnswer, { module, force });
  return { command: 'purge', nodes: rows(names, answers, answer => answer) };
}

/** Asks one node, or all, whether they are there. @throws UsageError when the named node is not. */
export async function pingNodes(
  parts: HeadParts,
  node: string | null,
  timeoutMs: number,
  say: OnReport,
): Promise<PingResult> {
  const names = selectNode(await parts.fleet.expected(), node, say);
  const answers = await ask(parts, 'ping', node, names, timeoutMs, pingAnswer);
  const nodes = rows(names, answers, (answer, ms) => ({ node: answer.node, status: 'pong' as const, ms }));
  return { command: 'ping', nodes };
}

/** Lists every node that should answer, with what it says of itself. */
export async function listNodes(parts: HeadParts, timeoutMs: number, say: OnReport): Promise<NodesResult> {
  const expected = await parts.fleet.expected();
  if (expected.warning !== null) say({ type: 'warning', message: expected.warning });
  const containers = new Map(expected.members.map(({ node, container }) => [node, container]));
  const names = new Set(containers.keys());
  const answers = await ask(parts, 'describe', null, names, timeoutMs, nodeDescription);
  const present = rows(names, answers, answer => ({ ...answer, status: 'present' as const }));
  return {
    command: 'nodes',
    nodes: present.map(row => (row.status === 'silent' ? { ...row, container: containers.get(row.node) ?? '' } : row)),
  };
}

/** Waits until so many nodes are there. @throws UnavailableError when they are not in time. */
export async function waitForNodes(parts: HeadParts, wanted: number, timeoutMs: number, say: OnReport): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  let present = 0;
  while (performance.now() < deadline) {
    present = (await listNodes(parts, 1_000, () => undefined)).nodes.filter(
      ({ status }) => status === 'present',
    ).length;
    say({ type: 'progress', phase: 'waiting for nodes', answered: present, expected: wanted });
    if (present >= wanted) return;
    await new Promise(resolve => setTimeout(resolve, WAIT_STEP));
  }
  throw new UnavailableError(`only ${present} of ${wanted} nodes came up in time (see: make logs)`);
}

/** Compares what should run with what runs, on every node. */
export async function readStatus(parts: HeadParts, timeoutMs: number, say: OnReport): Promise<StatusResult> {
  const [heads, expected] = await Promise.all([parts.store.heads(), parts.fleet.expected()]);
  const names = expectedNodes(expected, say);
  const answers = await ask(parts, 'describe', null, names, timeoutMs, nodeDescription);
  const descriptions = new Map<string, NodeDescription | null>([...names].map(node => [node, null]));
  for (const [node, { answer }] of answers) descriptions.set(node, answer);
  return { command: 'status', heads, nodes: compareWithHeads(heads, descriptions) };
}

async function ask<TSchema extends v.GenericSchema<unknown, { readonly node: string }>>(
  { nats, subjects }: HeadParts,
  verb: Verb,
  node: string | null,
  expected: ReadonlySet<string>,
  timeoutMs: number,
  schema: TSchema,
  request: object = {},
): Promise<Map<string, Timed<v.InferOutput<TSchema>>>> {
  const subject = node === null ? subjects.all(verb) : subjects.node(node, verb);
  return scatterGather<v.InferOutput<TSchema>>(nats, {
    ask: inbox => nats.publish(subject, encode(request), { reply: inbox }),
    decode: bytes => decode(schema, bytes),
    expected,
    timeoutMs,
  });
}

/** One row a node, in the order of the replicas: its answer, or that it was silent. */
function rows<A extends { readonly node: string }, R extends { readonly node: string }>(
  names: ReadonlySet<string>,
  answers: ReadonlyMap<string, Timed<A>>,
  row: (answer: A, ms: number) => R,
): (R | { node: string; status: 'silent' })[] {
  const silent = [...names].filter(node => !answers.has(node)).map(node => ({ node, status: 'silent' as const }));
  const answered = [...answers.values()].map(({ answer, ms }) => row(answer, ms));
  return [...answered, ...silent].toSorted((a, b) => compareNodes(a.node, b.node));
}
