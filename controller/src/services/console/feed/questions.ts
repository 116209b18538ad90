import { createInbox, type NatsConnection } from '@nats-io/transport-node';
import type * as v from 'valibot';

import { decode, encode } from '../../../../../protocol/codec.ts';
import { inboxPrefix } from '../../../../../protocol/inboxes.ts';
import { errorsAnswer, type ErrorsAnswer } from '../../../../../protocol/logs.ts';
import { subjectsOf } from '../../../../../protocol/subjects.ts';
import { orNull } from './records.ts';

/** A node answers within this time, or is not waited for (milliseconds). */
const TIMEOUT_MS = 1_000;

/** Asks one node what it does not say in heartbeats. */
export function questions(nats: NatsConnection, cookie: string) {
  const subjects = subjectsOf(cookie);

  /** The answer of a node; null when none came, or one that can't be read. */
  async function ask<TSchema extends v.GenericSchema>(
    node: string,
    verb: 'errors',
    body: object,
    schema: TSchema,
  ): Promise<v.InferOutput<TSchema> | null> {
    const inbox = createInbox(inboxPrefix('console'));
    const answered = new Promise<v.InferOutput<TSchema> | null>(resolve => {
      nats.subscribe(`${inbox}.${node}`, {
        max: 1,
        timeout: TIMEOUT_MS,
        callback: (error, message) => resolve(error === null ? orNull(() => decode(schema, message.data)) : null),
      });
    });
    nats.publish(subjects.node(node, verb), encode(body), { reply: inbox });
    return answered;
  }

  return {
    /** The last errors of the revisions of a module on a node. */
    errors: (node: string, module: string): Promise<ErrorsAnswer | null> =>
      ask(node, 'errors', { module }, errorsAnswer),
  };
}

export type Questions = ReturnType<typeof questions>;
