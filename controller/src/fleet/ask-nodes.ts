import type { NatsConnection } from '@nats-io/transport-node';

import { encode } from '../../../protocol/codec.ts';
import { compareNodes } from '../../../protocol/names.ts';
import type { Subjects, Verb } from '../../../protocol/subjects.ts';
import type { Silent } from '../api/results.ts';
import { type Departed, NOBODY } from './departures.ts';
import { type Answers, type AnswerSchema, type Request, scatterGather, type Timed } from './scatter-gather.ts';

interface NodesRequest<TSchema extends AnswerSchema> extends Omit<Request<TSchema>, 'ask'> {
  readonly verb: Verb;
  /** Whether only the expected nodes are asked, each by its name; by default every node is. */
  readonly only?: boolean;
  readonly body?: Uint8Array;
}

/** The nodes that a command asks, and those of them that have left since. */
export interface Asked {
  readonly expected: ReadonlySet<string>;
  readonly departed?: Departed;
}

/** Why a node was silent that was asked alone. */
const LEFT = 'it has left';

/** Sends one request to nodes, and gives their answers by node. */
export async function askNodes<TSchema extends AnswerSchema>(
  { nats, subjects }: { readonly nats: NatsConnection; readonly subjects: Subjects },
  { verb, only = false, body = encode({}), ...request }: NodesRequest<TSchema>,
): Promise<Answers<TSchema>> {
  const asked = only ? [...request.expected].map(node => subjects.node(node, verb)) : [subjects.all(verb)];
  return scatterGather(nats, {
    ...request,
    ask: inbox => asked.forEach(subject => nats.publish(subject, body, { reply: inbox })),
  });
}

/** One row for each node, in the order of the replicas: its answer, or that it was silent. */
export function rowsOf<A, R extends { readonly node: string }>(
  asked: Asked,
  answers: ReadonlyMap<string, Timed<A>>,
  row: (answer: A, ms: number) => R,
): (R | Silent)[] {
  const answered = [...answers.values()].map(({ answer, ms }) => row(answer, ms));
  return inOrder([...answered, ...silentAmong(asked, answers)]);
}

/** Those of the nodes that were not heard. One that has left does not count, if any other is there. */
export function silentAmong({ expected, departed = NOBODY }: Asked, heard: { has(node: string): boolean }): Silent[] {
  const missing = [...expected].filter(node => !heard.has(node));
  const silent = missing.filter(node => !departed.has(node));
  if (silent.length > 0 || missing.length < expected.size) return silent.map(node => ({ node, status: 'silent' }));
  return missing.map(node => ({ node, status: 'silent', detail: LEFT }));
}

/** The rows in the order of the replicas. */
export function inOrder<R extends { readonly node: string }>(rows: readonly R[]): R[] {
  return rows.toSorted((a, b) => compareNodes(a.node, b.node));
}
