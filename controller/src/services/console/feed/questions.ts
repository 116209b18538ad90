import { createInbox, type NatsConnection } from '@nats-io/transport-node';

import { decode, encode } from '../../../../../protocol/codec.ts';
import { inboxPrefix } from '../../../../../protocol/inboxes.ts';
import { errorsAnswer, type ErrorsAnswer } from '../../../../../protocol/logs.ts';
import { subjectsOf } from '../../../../../protocol/subjects.ts';
import { orNull } from './records.ts';

/** A node answers within this time, or is not waited for (milliseconds). */
const TIMEOUT_MS = 1_000;

/** Asks one node what it does not say in heartbeats. */
export function questions(nats: NatsConnection, cookie: string, timeoutMs = TIMEOUT_MS) {
  const subjects = subjectsOf(cookie);
  return {
    /** The last errors of the revisions of a module on a node; null when no answer came, or one that can't be read. */
    errors: (node: string, module: string): Promise<ErrorsAnswer | null> => {
      const inbox = createInbox(inboxPrefix('console'));
      return new Promise(resolve => {
        // The library's own timeout of a subscription with a callback leaves the subscription open.
        const end = (answer: ErrorsAnswer | null): void => {
          clearTimeout(timer);
          subscription.unsubscribe();
          resolve(answer);
        };
        const subscription = nats.subscribe(`${inbox}.${node}`, {
          callback: (error, message) => end(error === null ? orNull(() => decode(errorsAnswer, message.data)) : null),
        });
        const timer = setTimeout(end, timeoutMs, null);
        nats.publish(subjects.node(node, 'errors'), encode({ module }), { reply: inbox });
      });
    },
  };
}

export type Questions = ReturnType<typeof questions>;
