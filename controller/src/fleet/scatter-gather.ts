import { once } from 'node:events';

import { createInbox, type NatsConnection } from '@nats-io/transport-node';

import { DecodeError } from '../../../protocol/errors.ts';
import { inboxPrefix } from '../../../protocol/inboxes.ts';
import { lastToken } from '../../../protocol/subjects.ts';

/** An answer, and how long after the request it arrived (milliseconds). */
export interface Timed<A> {
  readonly answer: A;
  readonly ms: number;
}

interface Request<A> {
  /** Sends the request; a node answers to `<inbox>.<its name>`. */
  readonly ask: (inbox: string) => void | Promise<void>;
  readonly decode: (bytes: Uint8Array) => A;
  /** The names of the nodes that should answer. */
  readonly expected: ReadonlySet<string>;
  /** Milliseconds. */
  readonly timeoutMs: number;
  /** Called with each answer, to show progress. */
  readonly onAnswer?: (answered: number) => void;
}

/**
 * Sends one request to many nodes, and waits until every expected node has answered or the time is over. A publisher does not
 * know how many subscribers there are, so the expected names come from the roster. Answers of other nodes are kept too.
 *
 * @returns the answers by node; an expected node that is missing was silent.
 * @throws what `ask` throws.
 */
export async function scatterGather<A extends { readonly node: string }>(
  nats: NatsConnection,
  request: Request<A>,
): Promise<Map<string, Timed<A>>> {
  const answers = new Map<string, Timed<A>>();
  const missing = new Set(request.expected);
  const inbox = createInbox(inboxPrefix('controller'));
  const askedAt = performance.now();
  const done = new AbortController();
  const subscription = nats.subscribe(`${inbox}.*`, {
    callback: (error, message) => {
      if (error !== null) return;
      const answer = decoded(request.decode, message.data);
      // NATS lets a node answer under its own name only.
      if (answer === null || answer.node !== lastToken(message.subject)) return;
      answers.set(answer.node, { answer, ms: performance.now() - askedAt });
      missing.delete(answer.node);
      request.onAnswer?.(answers.size);
      if (missing.size === 0) done.abort();
    },
  });
  if (missing.size === 0) done.abort();
  const timer = setTimeout(() => done.abort(), request.timeoutMs);
  try {
    await request.ask(inbox);
    if (!done.signal.aborted) await once(done.signal, 'abort');
  } finally {
    clearTimeout(timer);
    subscription.unsubscribe();
  }
  return answers;
}

/** An answer that does not fit its schema is no answer: its node counts as silent. */
function decoded<A>(decode: (bytes: Uint8Array) => A, bytes: Uint8Array): A | null {
  try {
    return decode(bytes);
  } catch (error) {
    if (error instanceof DecodeError) return null;
    throw error;
  }
}
