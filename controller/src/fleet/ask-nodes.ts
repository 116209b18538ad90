import type { NatsConnection } from '@nats-io/transport-node';
import type * as v from 'valibot';

import { decode, encode } from '../../../protocol/codec.ts';
import { compareNodes } from '../../../protocol/names.ts';
import type { Subjects, Verb } from '../../../protocol/subjects.ts';
import type { Silent } from '../api/results.ts';
import { scatterGather, type Timed } from './scatter-gather.ts';

interface NodesRequest<TSchema> {
  readonly verb: Verb;
  /** The node that is asked; null asks all. */
  readonly node?: string | null;
  readonly expected: ReadonlySet<string>;
  /** Milliseconds. */
  readonly timeoutMs: number;
  /** The schema of an answer. */
  readonly schema: TSchema;
  readonly body?: object;
}

/** Sends one request to a node or to all, and gives their answers by node. */
export async function askNodes<TSchema extends v.GenericSchema<unknown, { readonly node: string }>>(
  { nats, subjects }: { readonly nats: NatsConnection; readonly subjects: Subjects },
  { verb, node = null, expected, timeoutMs, schema, body = {} }: NodesRequest<TSchema>,
): Promise<Map<string, Timed<v.InferOutput<TSchema>>>> {
  const subject = node === null ? subjects.all(verb) : subjects.node(node, verb);
  return scatterGather<v.InferOutput<TSchema>>(nats, {
    ask: inbox => nats.publish(subject, encode(body), { reply: inbox }),
    decode: bytes => decode(schema, bytes),
    expected,
    timeoutMs,
  });
}

/** One row for each node, in the order of the replicas: its answer, or that it was silent. */
export function rowsOf<A extends { readonly node: string }, R extends { readonly node: string }>(
  expected: ReadonlySet<string>,
  answers: ReadonlyMap<string, Timed<A>>,
  row: (answer: A, ms: number) => R,
): (R | Silent)[] {
  const silent = [...expected].filter(node => !answers.has(node)).map(node => ({ node, status: 'silent' as const }));
  const answered = [...answers.values()].map(({ answer, ms }) => row(answer, ms));
  return [...answered, ...silent].toSorted((a, b) => compareNodes(a.node, b.node));
}
