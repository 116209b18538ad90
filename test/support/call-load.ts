import { createInbox, type NatsConnection } from '@nats-io/transport-node';

import { decode, encode } from '../../protocol/codec.ts';
import { type CallAnswer, callAnswer, type CallRequest } from '../../protocol/messages.ts';
import type { Subjects } from '../../protocol/subjects.ts';
import { inboxPrefix } from '../../protocol/inboxes.ts';

/** A call, and the JSON that it must give. */
export interface ExpectedCall extends CallRequest {
  readonly json: string;
}

/** What came of a load. */
export interface LoadFigures {
  readonly calls: number;
  /** How each call failed that did: an error, another value, or no answer. */
  readonly failures: readonly string[];
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** A call is answered within this time, or has failed (milliseconds). */
const DEADLINE = 10_000;

/** Calls functions on nodes all the time, so many at once on each, until it is stopped. */
export class CallLoad {
  readonly #nats: NatsConnection;
  readonly #subjects: Subjects;
  readonly #latencies: number[] = [];
  readonly #failures: string[] = [];
  readonly #callers: readonly Promise<void>[];
  #stopped = false;
  #enough = { calls: Infinity, reached: (): void => undefined };

  constructor(
    { nats, subjects }: { readonly nats: NatsConnection; readonly subjects: Subjects },
    nodes: readonly string[],
    atOnce: number,
    nextCall: (number: number) => ExpectedCall,
  ) {
    this.#nats = nats;
    this.#subjects = subjects;
    const callers = nodes.flatMap(node => Array.from({ length: atOnce }, (_, index) => ({ node, index })));
    this.#callers = callers.map(async ({ node, index }) => {
      for (let number = index; !this.#stopped; number += atOnce) await this.#call(node, nextCall(number));
    });
  }

  /** Resolves when so many calls have ended. */
  async made(calls: number): Promise<void> {
    await new Promise<void>(reached => (this.#enough = { calls, reached }));
  }

  /** Lets the calls in flight end. */
  async stop(): Promise<LoadFigures> {
    this.#stopped = true;
    await Promise.all(this.#callers);
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? NaN;
    return { calls: sorted.length, failures: this.#failures, p50: at(0.5), p99: at(0.99) };
  }

  async #call(node: string, { json, ...request }: ExpectedCall): Promise<void> {
    const startedAt = performance.now();
    try {
      const subject = this.#subjects.node(node, 'call');
      const answer = await this.#ask(subject, encode(request), node);
      if (answer.status === 'error') this.#failures.push(`${node}: ${answer.message}`);
      else if (answer.json !== json) this.#failures.push(`${node}: ${answer.json} in place of ${json}`);
    } catch (error) {
      this.#failures.push(`${node}: ${String(error)}`);
    }
    this.#latencies.push(performance.now() - startedAt);
    if (this.#latencies.length >= this.#enough.calls) this.#enough.reached();
  }
  /** Asks as a controller does, whom nodes answer under their names. */
  async #ask(subject: string, request: Uint8Array, node: string): Promise<CallAnswer> {
    const inbox = createInbox(inboxPrefix('controller'));
    const answers = this.#nats.subscribe(`${inbox}.${node}`, { max: 1, timeout: DEADLINE });
    this.#nats.publish(subject, request, { reply: inbox });
    for await (const { data } of answers) return decode(callAnswer, data);
    throw new Error('no answer');
  }
}
