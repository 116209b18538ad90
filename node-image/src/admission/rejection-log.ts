import type { NatsConnection } from '@nats-io/transport-node';

import { encode } from '../../../protocol/codec.ts';
import type { RejectedEvent } from '../../../protocol/messages.ts';
import { LogThrottle } from '../../../shared/log-throttle.ts';
import type { Subjects } from '../../../protocol/subjects.ts';
import type { RejectedError } from './verifier.ts';
import type { Logger } from '../../../shared/logger.ts';

/** Counts what was not trusted. It is logged and told to the cluster once, and then once a minute: a flood stays small. */
export class RejectionLog {
  readonly #nats: NatsConnection;
  readonly #subjects: Subjects;
  readonly #node: string;
  readonly #log: Logger;
  readonly #throttle = new LogThrottle();

  constructor(nats: NatsConnection, subjects: Subjects, node: string, log: Logger) {
    this.#nats = nats;
    this.#subjects = subjects;
    this.#node = node;
    this.#log = log;
  }

  add({ fault, subject }: RejectedError): void {
    const count = this.#throttle.count(fault);
    if (count === null) return;
    const event: RejectedEvent = { node: this.#node, fault, subject, count };
    this.#log.warn(event, 'not trusted, and not obeyed');
    this.#nats.publish(this.#subjects.event(this.#node, 'rejected'), encode(event));
  }
}
