import { EventEmitter, once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

import type { Call } from './calls.ts';
import { readTally, type Tally } from './tally.ts';

/** The timeout for one call, and for calls that show a new version (milliseconds). */
const CALL_TIMEOUT_MS = 5_000;
const SEEN_TIMEOUT_MS = 60_000;

/**
 * Calls at a constant rate, each at its time, no matter how many are still running (an open loop), over keep-alive
 * connections. It sends from its construction until it is stopped.
 */
export class ConstantLoad implements AsyncDisposable {
  /** The calls that have ended. */
  readonly calls: Call[] = [];
  readonly #url: string;
  /** Milliseconds from one call to the next. */
  readonly #period: number;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #startedAt = performance.now();
  readonly #running = new Set<Promise<void>>();
  /** The newest version that each node has answered with, by host name. */
  readonly #versions = new Map<string, number>();
  readonly #news = new EventEmitter();
  #timer: NodeJS.Timeout | undefined;
  #sent = 0;
  #expected = -Infinity;

  /** @param rate calls per second. */
  constructor(url: string, rate: number) {
    this.#url = url;
    this.#period = 1_000 / rate;
    this.#sendDue();
  }

  /** From now on, a new call fails when a version before this one answers it. */
  expect(version: number): void {
    this.#expected = version;
  }

  /** Resolves when so many nodes, or the one with this name, have answered with this version or a later one. */
  async seen(version: number, nodes: number | string): Promise<void> {
    const signal = AbortSignal.timeout(SEEN_TIMEOUT_MS);
    const isNew = (node: string): boolean => (this.#versions.get(node) ?? -Infinity) >= version;
    const isSeen = (): boolean =>
      typeof nodes === 'string' ? isNew(nodes) : [...this.#versions.keys()].filter(isNew).length >= nodes;
    while (!isSeen()) {
      await once(this.#news, 'version', { signal }).catch((cause: unknown) => {
        const last = this.calls.findLast(({ failure }) => failure !== null)?.failure ?? 'none failed';
        throw new Error(`no call has shown version ${version} on ${nodes}; last failure: ${last}`, { cause });
      });
    }
  }

  /** Sends no more, and resolves when all calls have ended. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await Promise.all(this.#running);
    this.#agent.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #sendDue(): void {
    const due = (): number => this.#startedAt + this.#sent * this.#period;
    // Calls that become due while these are sent wait for the next turn, so that answers get theirs.
    for (const now = performance.now(); due() <= now; this.#sent += 1) {
      const call = this.#call(due()).finally(() => this.#running.delete(call));
      this.#running.add(call);
    }
    this.#timer = setTimeout(() => this.#sendDue(), due() - performance.now());
  }

  async #call(dueAt: number): Promise<void> {
    const expected = this.#expected;
    const answer = await this.#ask();
    const endedAt = performance.now();
    if (typeof answer === 'string') {
      this.calls.push({ dueAt, endedAt, failure: answer, tally: null });
      return;
    }
    const failure = answer.version < expected ? `stale: an old version on ${answer.node}` : null;
    this.calls.push({ dueAt, endedAt, failure, tally: answer });
    if (answer.version <= (this.#versions.get(answer.node) ?? -Infinity)) return;
    this.#versions.set(answer.node, answer.version);
    this.#news.emit('version');
  }

  /** The answer to a call, or the reason of its failure. */
  async #ask(): Promise<Tally | string> {
    const signal = AbortSignal.timeout(CALL_TIMEOUT_MS);
    try {
      const request = get(this.#url, { agent: this.#agent, signal });
      // The response's body fails too, and that is where it is noticed.
      request.on('error', () => undefined);
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      const body = (await text(response)).trim();
      if (response.statusCode !== 200) return `status: ${response.statusCode} ${body}`;
      return readTally(body) ?? `answer: ${body.slice(0, 80)}`;
    } catch (error) {
      if (signal.aborted) return `timeout: no answer within ${CALL_TIMEOUT_MS} ms`;
      return `connection: ${String(error instanceof Error && 'code' in error ? error.code : error)}`;
    }
  }
}
