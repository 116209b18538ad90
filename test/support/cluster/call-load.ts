import { createInbox, type NatsConnection } from '@nats-io/transport-node';

import { decode, encode } from '../../../protocol/codec.ts';
import { type CallAnswer, callAnswer, type CallRequest } from '../../../protocol/messages.ts';
import type { Subjects } from '../../../protocol/subjects.ts';
import { inboxPrefix } from '../../../protocol/inboxes.ts';

/** A call, and the JSON of the value that it must return. */
export interface ExpectedCall extends CallRequest {
  readonly json: string;
}

/** The result of a load. */
export interface LoadFigures {
  readonly calls: number;
  /** A line for each call that failed: an error, a wrong value, or no answer. */
  readonly failures: readonly string[];
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** A call without an answer fails after this time (milliseconds). */
const TIMEOUT_MS = 10_000;

/** Calls functions on nodes until it is stopped, with a fixed number of concurrent calls on each node. */
export class CallLoad {
  readonly #nats: NatsConnection;
  readonly #subjects: Subjects;
  readonly #latencies: number[] = [];
  readonly #failures: string[] = [];
  readonly #callers: readonly Promise<void>[];
  #stopped = false;
  #target = { calls: Infinity, reached: (): void => undefined };

  constructor(
    { nats, subjects }: { readonly nats: NatsConnection; readonly subjects: Subjects },
    nodes: readonly string[],
    concurrency: number,
    nextCall: (number: number) => ExpectedCall,
  ) {
    this.#nats = nats;
    this.#subjects = subjects;
    const callers = nodes.flatMap(node => Array.from({ length: concurrency }, (_, index) => ({ node, index })));
    this.#callers = callers.map(async ({ node, index }) => {
      for (let number = index; !this.#stopped; number += concurrency) await this.#call(node, nextCall(number));
    });
  }

  /** Resolves when this number of calls has ended. */
  async waitForCalls(calls: number): Promise<void> {
    await new Promise<void>(reached => (this.#target = { calls, reached }));
  }

  /** Waits for the calls in flight. */
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
      const answer = await this.#request(subject, encode(request), node);
      if (answer.status === 'error') this.#failures.push(`${node}: ${answer.message}`);
      else if (answer.json !== json) this.#failures.push(`${node}: ${answer.json} instead of ${json}`);
    } catch (error) {
      this.#failures.push(`${node}: ${String(error)}`);
    }
    this.#latencies.push(performance.now() - startedAt);
    if (this.#latencies.length >= this.#target.calls) this.#target.reached();
  }

  /** Sends a request as a controller does: each node answers on the subject of the inbox that ends with its name. */
  async #request(subject: string, request: Uint8Array, node: string): Promise<CallAnswer> {
    const inbox = createInbox(inboxPrefix('controller'));
    const answers = this.#nats.subscribe(`${inbox}.${node}`, { max: 1, timeout: TIMEOUT_MS });
    this.#nats.publish(subject, request, { reply: inbox });
    for await (const { data } of answers) return decode(callAnswer, data);
    throw new Error('no answer');
  }
}
