import type { NatsConnection } from '@nats-io/transport-node';

import { encode } from '../../../protocol/codec.ts';
import type { RejectedEvent } from '../../../protocol/messages.ts';
import type { Subjects } from '../../../protocol/subjects.ts';
import { LogThrottle } from '../../../shared/rates/log-throttle.ts';
import type { Logger } from '../../../shared/logger.ts';
import type { RejectedError } from './verifier.ts';

/** Logs and publishes rejections: the first of a kind immediately, then their number once per minute. */
export function rejectionLog(nats: NatsConnection, subjects: Subjects, node: string, log: Logger) {
  const throttle = new LogThrottle();
  return ({ fault, subject }: RejectedError): void => {
    const count = throttle.count(fault);
    if (count === null) return;
    const event: RejectedEvent = { node, fault, subject, count };
    log.warn(event, 'rejected a message that is not trusted');
    nats.publish(subjects.event(node, 'rejected'), encode(event));
  };
}
