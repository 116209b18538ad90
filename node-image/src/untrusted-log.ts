import type { NatsConnection } from '@nats-io/transport-node';

import { encode } from '../../protocol/codec.ts';
import type { UntrustedEvent } from '../../protocol/messages.ts';
import type { Subjects } from '../../protocol/subjects.ts';
import type { Fault, UntrustedError } from './gate.ts';
import type { Logger } from './logger.ts';

/** Each kind of fault is told at most this often, with how many there were (milliseconds). */
const TOLD_EVERY = 60_000;

/** Counts what was not trusted. It is logged and told to the cluster once, and then once a minute: a flood stays small. */
export class UntrustedLog {
  readonly #nats: NatsConnection;
  readonly #subjects: Subjects;
  readonly #node: string;
  readonly #log: Logger;
  readonly #told = new Map<Fault, { at: number; since: number }>();

  constructor(nats: NatsConnection, subjects: Subjects, node: string, log: Logger) {
    this.#nats = nats;
    this.#subjects = subjects;
    this.#node = node;
    this.#log = log;
  }

  add({ fault, subject }: UntrustedError): void {
    const now = performance.now();
    const told = this.#told.get(fault) ?? { at: -Infinity, since: 0 };
    told.since += 1;
    this.#told.set(fault, told);
    if (now - told.at < TOLD_EVERY) return;
    const event: UntrustedEvent = { node: this.#node, fault, subject, count: told.since };
    told.at = now;
    told.since = 0;
    this.#log.warn(event, 'not trusted, and not obeyed');
    this.#nats.publish(this.#subjects.event(this.#node, 'untrusted'), encode(event));
  }
}
