import { once } from 'node:events';

import { createInbox, type NatsConnection } from '@nats-io/transport-node';

import { DecodeError } from '../../../protocol/errors.ts';
import { lastToken } from '../../../protocol/subjects.ts';
import { inboxPrefix } from '../../../protocol/inboxes.ts';

/** An answer, and how long after the question it arrived (milliseconds). */
export interface Timed<A> {
  readonly answer: A;
  readonly ms: number;
}

interface Question<A> {
  /** Sends the question; a node answers to `<inbox>.<its name>`. */
  readonly ask: (inbox: string) => void | Promise<void>;
  readonly decode: (bytes: Uint8Array) => A;
  /** The names of the nodes that should answer. */
  readonly expected: ReadonlySet<string>;
  /** How long to wait for them (milliseconds). */
  readonly timeoutMs: number;
  /** Called with each answer, for a display of progress. */
  readonly onAnswer?: (answered: number) => void;
}

/**
 * Asks many nodes at once, and waits until every expected node has answered or the timeoutMs is over: a publisher can't
 * know how many subscribers there are, so the expected names come from the roster. Whoever else answers is kept too.
 *
 * @returns the answers by node; who is expected and missing was silent.
 * @throws what `ask` throws.
 */
export async function scatterGather<A extends { readonly node: string }>(
  nats: NatsConnection,
  question: Question<A>,
): Promise<Map<string, Timed<A>>> {
  const answers = new Map<string, Timed<A>>();
  const missing = new Set(question.expected);
  const inbox = createInbox(inboxPrefix('controller'));
  const askedAt = performance.now();
  const over = new AbortController();
  const subscription = nats.subscribe(`${inbox}.*`, {
    callback: (error, message) => {
      if (error !== null) return;
      const answer = decoded(question.decode, message.data);
      // NATS lets a node answer under its own name only.
      if (answer === null || answer.node !== lastToken(message.subject)) return;
      answers.set(answer.node, { answer, ms: performance.now() - askedAt });
      missing.delete(answer.node);
      question.onAnswer?.(answers.size);
      if (missing.size === 0) over.abort();
    },
  });
  if (missing.size === 0) over.abort();
  const timer = setTimeout(() => over.abort(), question.timeoutMs);
  try {
    await question.ask(inbox);
    if (!over.signal.aborted) await once(over.signal, 'abort');
  } finally {
    clearTimeout(timer);
    subscription.unsubscribe();
  }
  return answers;
}

/** An answer that makes no sense is no answer: its node counts as silent. */
function decoded<A>(decode: (bytes: Uint8Array) => A, bytes: Uint8Array): A | null {
  try {
    return decode(bytes);
  } catch (error) {
    if (error instanceof DecodeError) return null;
    throw error;
  }
}
