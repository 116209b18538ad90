import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';

import type { Head } from '../../../protocol/head.ts';
import { streamOf, subjectsOf } from '../../../protocol/subjects.ts';
import { type Verifier, RejectedError } from '../admission/verifier.ts';
import type { RecordSource } from './reconciler.ts';

/** Reads the cluster's stream with direct get. Without a consumer, a node costs the server nothing between reads. */
export async function recordReader(nats: NatsConnection, cookie: string, verifier: Verifier): Promise<RecordSource> {
  const { direct } = await jetstreamManager(nats, { checkAPI: false });
  const stream = streamOf(cookie);
  const subjects = subjectsOf(cookie);
  return {
    heads: async () => {
      const heads: Head[] = [];
      for await (const { subject, data } of await direct.getLastMessagesFor(stream, { multi_last: [subjects.heads] })) {
        try {
          heads.push(verifier.head(subject, data));
        } catch (error) {
          // A head that is not trusted does not block the others.
          if (!(error instanceof RejectedError)) throw error;
        }
      }
      return heads;
    },
    bundle: async (module, revision) => {
      const message = await direct.getMessage(stream, { last_by_subj: subjects.bundle(module, revision) });
      return message === null ? null : verifier.bundle(message.subject, message.data);
    },
  };
}
