import { createInbox, type NatsConnection } from '@nats-io/transport-node';
import type * as v from 'valibot';

import { decode } from '../../../protocol/codec.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { inboxPrefix } from '../../../protocol/inboxes.ts';
import { fetchingAnswer } from '../../../protocol/messages.ts';
import { lastToken } from '../../../protocol/subjects.ts';
import { subscribeDirectly } from '../../../shared/nats/direct-transport.ts';
import { promiseOf } from '../../../shared/promise-of.ts';
import { type Departed, NOBODY } from './departures.ts';

/** The schema of an answer, which names its node. */
export type AnswerSchema = v.GenericSchema<unknown, { readonly node: string }>;

/** After so many messages that are no answers, no more of a node are read. */
const MAX_REJECTED = 10;

/** An answer, and how long after the request it arrived (milliseconds). */
export interface Timed<A> {
  readonly answer: A;
  readonly ms: number;
}

/** The answers by node. */
export type Answers<TSchema extends AnswerSchema> = ReadonlyMap<string, Timed<v.InferOutput<TSchema>>>;

export interface Request<TSchema extends AnswerSchema> {
  /** Sends the request; a node answers to `<inbox>.<its name>`. */
  readonly ask: (inbox: string) => void | Promise<void>;
  readonly schema: TSchema;
  /** The names of the nodes that should answer. */
  readonly expected: ReadonlySet<string>;
  /** Those that have left are not waited for; default: nobody. */
  readonly departed?: Departed;
  /** Milliseconds. */
  readonly timeoutMs: number;
  /** The time for nodes that say that they fetch packages first, milliseconds from the request; default: `timeoutMs`. */
  readonly packagesTimeoutMs?: number;
  /** Ends the wait when nobody needs the answers any more. */
  readonly signal?: AbortSignal;
  /** Called with each answer, to show progress. */
  readonly onAnswer?: (answered: number, node: string) => void;
}

/**
 * Sends one request to many nodes, and waits until every expected node has answered or left, or the time is over, which is longer
 * for nodes that fetch packages. A publisher does not
 * know how many subscribers there are, so the expected names come from the roster. Answers of other nodes are kept too.
 *
 * @returns the answers by node; an expected node that is missing and has not left was silent.
 * @throws what `ask` throws, and the reason of `signal` when that is aborted.
 */
export async function scatterGather<TSchema extends AnswerSchema>(
  nats: NatsConnection,
  {
    ask,
    schema,
    expected,
    departed = NOBODY,
    timeoutMs,
    packagesTimeoutMs = timeoutMs,
    signal,
    onAnswer,
  }: Request<TSchema>,
): Promise<Answers<TSchema>> {
  signal?.throwIfAborted();
  const answers = new Map<string, Timed<v.InferOutput<TSchema>>>();
  const missing = new Set(expected);
  const fetching = new Set<string>();
  const rejected = new Map<string, number>();
  const inbox = createInbox(inboxPrefix('controller'));
  const askedAt = performance.now();
  const { promise: ended, resolve } = promiseOf<void>();
  const end = (): void => resolve();
  let isLate = false;
  const endIfComplete = (): void => {
    if (missing.size === 0 || (isLate && fetching.size === 0)) end();
  };
  const stopWaiting = (node: string): void => {
    missing.delete(node);
    fetching.delete(node);
  };
  const dropDeparted = (): void => {
    for (const node of missing) if (departed.has(node)) stopWaiting(node);
    endIfComplete();
  };
  const subscription = subscribeDirectly(nats, `${inbox}.*`, message => {
    // NATS lets a node answer under its own name only.
    const node = lastToken(message.subject);
    // The first answer of a node stands; to read more of them would cost a flood nothing.
    if (answers.has(node) || rejected.get(node) === MAX_REJECTED) return;
    const answer = decoded(schema, message.data);
    if (answer === null) {
      rejected.set(node, (rejected.get(node) ?? 0) + 1);
      if (decoded(fetchingAnswer, message.data)?.node === node && missing.has(node)) fetching.add(node);
      return;
    }
    if (answer.node !== node) return;
    answers.set(node, { answer, ms: performance.now() - askedAt });
    stopWaiting(node);
    onAnswer?.(answers.size, node);
    endIfComplete();
  });
  dropDeparted();
  using _departures = departed.onChange(dropDeparted);
  const timer = setTimeout(() => {
    isLate = true;
    endIfComplete();
  }, timeoutMs);
  const lastTimer = setTimeout(end, Math.max(timeoutMs, packagesTimeoutMs));
  signal?.addEventListener('abort', end);
  try {
    await ask(inbox);
    await ended;
  } finally {
    signal?.removeEventListener('abort', end);
    clearTimeout(timer);
    clearTimeout(lastTimer);
    subscription.unsubscribe();
  }
  signal?.throwIfAborted();
  return answers;
}

/** An answer that does not fit its schema is no answer: its node counts as silent. */
function decoded<TSchema extends AnswerSchema>(schema: TSchema, bytes: Uint8Array): v.InferOutput<TSchema> | null {
  try {
    return decode(schema, bytes);
  } catch (error) {
    if (error instanceof DecodeError) return null;
    throw error;
  }
}
