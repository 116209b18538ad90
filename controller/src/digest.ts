import type { NatsConnection } from '@nats-io/transport-node';

import { encode } from '../../protocol/codec.ts';
import { PRESENCE_INTERVAL } from '../../protocol/limits.ts';
import type { DigestRequest } from '../../protocol/messages.ts';
import type { Subjects } from '../../protocol/subjects.ts';
import type { Logger } from './logger.ts';
import type { Store } from './store.ts';

/**
 * Tells every node, every 2 seconds, the sequence of each module's head. A node that missed one reads the stream, so the
 * fleet converges whatever was lost.
 */
export function startDigest(nats: NatsConnection, subjects: Subjects, store: Store, log: Logger): { stop: () => void } {
  let failing = false;
  const tell = async (): Promise<void> => {
    try {
      const heads = await store.heads();
      const digest: DigestRequest = {
        heads: Object.fromEntries(heads.map(({ module, sequence }) => [module, sequence])),
      };
      nats.publish(subjects.all('digest'), encode(digest));
      failing = false;
    } catch (error) {
      if (!failing) log.warn({ err: error }, 'the heads could not be read; trying again');
      failing = true;
    }
  };
  const timer = setInterval(() => void tell(), PRESENCE_INTERVAL);
  return { stop: () => clearInterval(timer) };
}
