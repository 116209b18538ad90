import type { NatsConnection } from '@nats-io/transport-node';

import { decode, encode } from '../../../protocol/codec.ts';
import { operatorInbox } from '../../../protocol/inboxes.ts';
import type { Operation } from '../../../protocol/operators/operator.ts';
import {
  decodeSaid,
  encodeHeard,
  type Heard,
  openAnswer,
  type OpenAnswer,
} from '../../../protocol/operators/session.ts';
import { subjectsOf } from '../../../protocol/subjects.ts';
import { PROTOCOL } from '../../../protocol/version.ts';
import { COOKIE, type Printed } from './operator-stand.ts';

const subjects = subjectsOf(COOKIE);

/** How long a controller has that should say nothing (milliseconds). */
export const SILENCE_MS = 500;

/** Speaks as an operator, without the command line that would say nothing wrong. */
export class RawOperator {
  readonly #nats: NatsConnection;
  readonly #name: string;
  readonly #inbox: string;
  readonly printed = { stdout: '', stderr: '' };
  readonly #ended: Promise<number>;
  /** Resolves when the controller asks something. */
  readonly asked: Promise<void>;
  #subject = '';
  #number = 0;

  constructor(nats: NatsConnection, name: string) {
    this.#nats = nats;
    this.#name = name;
    this.#inbox = `${operatorInbox(name)}.${Math.random().toString(36).slice(2)}`;
    let onAsk = (): void => undefined;
    this.asked = new Promise(resolve => (onAsk = resolve));
    this.#ended = new Promise(resolve => {
      nats.subscribe(this.#inbox, {
        callback: (_, { data }) => {
          const said = decodeSaid(data);
          if (said.type === 'print') this.printed[said.stream === 1 ? 'stdout' : 'stderr'] += said.text;
          if (said.type === 'ask') onAsk();
          if (said.type === 'end') resolve(said.status ?? -1);
        },
      });
    });
  }

  /** The subject of the open session. */
  get subject(): string {
    return this.#subject;
  }

  /** @param timeout how long the controller has for its answer (milliseconds). */
  async open(
    operation: Operation,
    { inbox = this.#inbox, protocol = PROTOCOL, timeout = 10_000 } = {},
  ): Promise<OpenAnswer> {
    const subject = subjects.operator(this.#name, operation);
    const { data } = await this.#nats.request(subject, encode({ protocol, inbox }), { timeout });
    const answer = decode(openAnswer, data);
    if (answer.status === 'open') this.#subject = subjects.operatorSession(this.#name, operation, answer.session);
    return answer;
  }

  /** Says something in the open session, signed with any key. */
  say(sign: (input: Uint8Array) => Uint8Array, message: Heard): void {
    this.#nats.publish(this.#subject, encodeHeard(sign, this.#subject, this.#number, message));
    this.#number += 1;
  }

  /** What it has printed when it has ended; null: nothing happens. */
  async end(timeoutMs = SILENCE_MS): Promise<Printed | null> {
    const silence = new Promise<null>(resolve => setTimeout(resolve, timeoutMs, null));
    const status = await Promise.race([this.#ended, silence]);
    return status === null ? null : { status, ...this.printed };
  }
}
