import type { NatsConnection } from '@nats-io/transport-node';

import { encode } from '../../../protocol/codec.ts';
import { compareNodes } from '../../../protocol/names.ts';
import type { Subjects, Verb } from '../../../protocol/subjects.ts';
import type { Silent } from '../api/results.ts';
import { type Answers, type AnswerSchema, type Request, scatterGather, type Timed } from './scatter-gather.ts';

interface NodesRequest<TSchema extends AnswerSchema> extends Omit<Request<TSchema>, 'ask'> {
  readonly verb: Verb;
  /** The node that is asked; null asks all. */
  readonly node?: string | null;
  readonly body?: Uint8Array;
}

/** Sends one request to a node or to all, and gives their answers by node. */
export async function askNodes<TSchema extends AnswerSchema>(
  { nats, subjects }: { readonly nats: NatsConnection; readonly subjects: Subjects },
  { verb, node = null, body = encode({}), ...request }: NodesRequest<TSchema>,
): Promise<Answers<TSchema>> {
  const subject = node === null ? subjects.all(verb) : subjects.node(node, verb);
  return scatterGather(nats, { ...request, ask: inbox => nats.publish(subject, body, { reply: inbox }) });
}

/** One row for each node, in the order of the replicas: its answer, or that it was silent. */
export function rowsOf<A, R extends { readonly node: string }>(
  expected: ReadonlySet<string>,
  answers: ReadonlyMap<string, Timed<A>>,
  row: (answer: A, ms: number) => R,
): (R | Silent)[] {
  const answered = [...answers.values()].map(({ answer, ms }) => row(answer, ms));
  return inOrder([...answered, ...silentAmong(expected, answers)]);
}

/** Those of the nodes that were not heard. */
export function silentAmong(nodes: ReadonlySet<string>, heard: { has(node: string): boolean }): Silent[] {
  return [...nodes].filter(node => !heard.has(node)).map(node => ({ node, status: 'silent' }));
}

/** The rows in the order of the replicas. */
export function inOrder<R extends { readonly node: string }>(rows: readonly R[]): R[] {
  return rows.toSorted((a, b) => compareNodes(a.node, b.node));
}
