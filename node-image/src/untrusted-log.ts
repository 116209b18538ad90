import type { NatsConnection } from '@nats-io/transport-node';

import { encode } from '../../protocol/codec.ts';
import type { UntrustedEvent } from '../../protocol/messages.ts';
import { Seldom } from '../../protocol/seldom.ts';
import type { Subjects } from '../../protocol/subjects.ts';
import type { UntrustedError } from './gate.ts';
import type { Logger } from './logger.ts';

/** Counts what was not trusted. It is logged and told to the cluster once, and then once a minute: a flood stays small. */
export class UntrustedLog {
  readonly #nats: NatsConnection;
  readonly #subjects: Subjects;
  readonly #node: string;
  readonly #log: Logger;
  readonly #seldom = new Seldom();

  constructor(nats: NatsConnection, subjects: Subjects, node: string, log: Logger) {
    this.#nats = nats;
    this.#subjects = subjects;
    this.#node = node;
    this.#log = log;
  }

  add({ fault, subject }: UntrustedError): void {
    const count = this.#seldom.count(fault);
    if (count === null) return;
    const event: UntrustedEvent = { node: this.#node, fault, subject, count };
    this.#log.warn(event, 'not trusted, and not obeyed');
    this.#nats.publish(this.#subjects.event(this.#node, 'untrusted'), encode(event));
  }
}
