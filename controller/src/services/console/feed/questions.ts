import { createInbox, type NatsConnection } from '@nats-io/transport-node';

import { decode, encode } from '../../../../../protocol/codec.ts';
import { inboxPrefix } from '../../../../../protocol/inboxes.ts';
import { errorsAnswer, type ErrorsAnswer } from '../../../../../protocol/logs.ts';
import { nodeDescription, type NodeDescription } from '../../../../../protocol/messages.ts';
import { subjectsOf, type Verb } from '../../../../../protocol/subjects.ts';
import { orNull } from './records.ts';

/** A node answers within this time, or is not waited for (milliseconds). */
const TIMEOUT_MS = 1_000;

/** Asks one node what it does not say in heartbeats. */
export function questions(nats: NatsConnection, cookie: string, timeoutMs = TIMEOUT_MS) {
  const subjects = subjectsOf(cookie);

  function ask<T>(node: string, verb: Verb, body: object, read: (answer: Uint8Array) => T): Promise<T | null> {
    const inbox = createInbox(inboxPrefix('console'));
    return new Promise(resolve => {
      // The library's own timeout of a subscription with a callback leaves the subscription open.
      const end = (answer: T | null): void => {
        clearTimeout(timer);
        subscription.unsubscribe();
        resolve(answer);
      };
      const subscription = nats.subscribe(`${inbox}.${node}`, {
        callback: (error, message) => end(error === null ? orNull(() => read(message.data)) : null),
      });
      const timer = setTimeout(end, timeoutMs, null);
      nats.publish(subjects.node(node, verb), encode(body), { reply: inbox });
    });
  }

  return {
    /** The last errors of the revisions of a module on a node; null when no answer came, or one that can't be read. */
    errors: (node: string, module: string): Promise<ErrorsAnswer | null> =>
      ask(node, 'errors', { module }, bytes => decode(errorsAnswer, bytes)),

    /** What a node says of itself, with what its versions have open; null as for errors. */
    describe: (node: string): Promise<NodeDescription | null> =>
      ask(node, 'describe', {}, bytes => decode(nodeDescription, bytes)),
  };
}

export type Questions = ReturnType<typeof questions>;
