import type { NatsConnection } from '@nats-io/transport-node';

import { encode } from '../../protocol/codec.ts';
import { PRESENCE_INTERVAL } from '../../protocol/limits.ts';
import type { NodeDescription } from '../../protocol/messages.ts';
import { resetLoopDelay } from './describe.ts';
import type { Subjects } from '../../protocol/subjects.ts';

/** Tells at once, and every 2 seconds from then on, that the node is there. Gives the way to say goodbye. */
export function startPresence(
  nats: NatsConnection,
  subjects: Subjects,
  describe: () => NodeDescription,
): { goodbye: () => void } {
  const tell = (): void => {
    const description = describe();
    nats.publish(subjects.event(description.node, 'presence'), encode(description));
    resetLoopDelay();
  };
  tell();
  const timer = setInterval(tell, PRESENCE_INTERVAL);
  return {
    goodbye: () => {
      clearInterval(timer);
      const description = describe();
      nats.publish(subjects.event(description.node, 'goodbye'), encode(description));
    },
  };
}
