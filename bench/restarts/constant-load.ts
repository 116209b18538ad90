import { EventEmitter, once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

import type { Call, Failure } from './call.ts';
import { readTally, type Tally } from './tally.ts';

/** A call that is not answered within this time has failed (milliseconds). */
const CALL_MAY_TAKE = 5_000;

/** Calls show within this time what is waited for, or something is wrong (milliseconds). */
const SEEN_WITHIN = 60_000;

/**
 * Calls at a constant rate, each at its time, however many are still under way (an open loop), on keep-alive
 * connections. It sends from its making until it is stopped.
 */
export class ConstantLoad implements AsyncDisposable {
  /** The calls that have ended. */
  readonly calls: Call[] = [];
  readonly #url: string;
  /** Milliseconds from one call to the next. */
  readonly #period: number;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #startedAt = performance.now();
  readonly #underWay = new Set<Promise<void>>();
  /** Of each node, the first answer of the newest version that it has answered with. */
  readonly #firsts = new Map<string, Tally>();
  readonly #news = new EventEmitter();
  #timer: NodeJS.Timeout | null = null;
  #sent = 0;
  #least = -Infinity;

  /** @param rate calls a second. */
  constructor(url: string, rate: number) {
    this.#url = url;
    this.#period = 1_000 / rate;
    this.#sendDue();
  }

  /** Has each call that is sent from now on fail when a version before this one answers it. */
  expect(version: number): void {
    this.#least = version;
  }

  /** Resolves when so many nodes have answered calls with this version or a later one. */
  async seen(version: number, nodes: number): Promise<void> {
    const count = (): number => [...this.#firsts.values()].filter(first => first.version >= version).length;
    await this.#until(() => (count() >= nodes ? true : null), `version ${version} on ${nodes} nodes`);
  }

  /** Resolves when a node has answered a call with this version or a later one: its counter in that answer. */
  async seenOn(node: string, version: number): Promise<number> {
    const first = (): Tally | undefined => this.#firsts.get(node);
    const count = (): number | null => ((first()?.version ?? -Infinity) >= version ? (first()?.count ?? 0) : null);
    return this.#until(count, `version ${version} on ${node}`);
  }

  /** Sends no more, and resolves when all that was sent has ended. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    await Promise.all(this.#underWay);
    this.#agent.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** @throws Error that says what was waited for, and what the last call that failed came to. */
  async #until<T>(look: () => T | null, what: string): Promise<T> {
    const signal = AbortSignal.timeout(SEEN_WITHIN);
    for (;;) {
      const found = look();
      if (found !== null) return found;
      try {
        await once(this.#news, 'version', { signal });
      } catch (cause) {
        const failed = this.calls.findLast(({ failure }) => failure !== null);
        const calls = `${this.calls.length} calls ended, ${failed === undefined ? 'none failed' : failed.detail}`;
        throw new Error(`no call has shown ${what} within ${SEEN_WITHIN} ms (${calls})`, { cause });
      }
    }
  }

  #sendDue(): void {
    const due = (): number => this.#startedAt + this.#sent * this.#period;
    // What falls due while these are sent waits for the next turn, so that answers get theirs.
    const now = performance.now();
    for (; due() <= now; this.#sent += 1) {
      const call = this.#call(due()).finally(() => this.#underWay.delete(call));
      this.#underWay.add(call);
    }
    this.#timer = setTimeout(() => this.#sendDue(), due() - performance.now());
  }

  async #call(dueAt: number): Promise<void> {
    const least = this.#least;
    const outcome = await this.#ask();
    const endedAt = performance.now();
    if ('failure' in outcome) {
      this.calls.push({ dueAt, endedAt, ...outcome });
    } else if (outcome.version < least) {
      this.calls.push({ dueAt, endedAt, failure: 'stale', detail: `an old version on ${outcome.node}` });
    } else {
      this.calls.push({ dueAt, endedAt, failure: null, detail: '' });
      this.#learn(outcome);
    }
  }

  async #ask(): Promise<Tally | { failure: Failure; detail: string }> {
    const signal = AbortSignal.timeout(CALL_MAY_TAKE);
    try {
      const request = get(this.#url, { agent: this.#agent, signal });
      // The response's body fails too, and that is where it is seen.
      request.on('error', () => undefined);
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      const body = await text(response);
      if (response.statusCode !== 200) return { failure: 'status', detail: `${response.statusCode} ${body.trim()}` };
      return readTally(body) ?? { failure: 'answer', detail: body.slice(0, 80).trim() };
    } catch (error) {
      if (signal.aborted) return { failure: 'time-out', detail: `no answer within ${CALL_MAY_TAKE} ms` };
      const code = error instanceof Error && 'code' in error ? error.code : error;
      return { failure: 'connection', detail: String(code) };
    }
  }

  #learn(tally: Tally): void {
    if (tally.version <= (this.#firsts.get(tally.node)?.version ?? -Infinity)) return;
    this.#firsts.set(tally.node, tally);
    this.#news.emit('version');
  }
}
