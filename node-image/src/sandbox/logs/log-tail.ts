import {
  LOG_LEVELS,
  type LogEntry,
  type LogMessage,
  MAX_LOG_TEXT,
  MAX_TAIL_RATE,
  passes,
  TAIL_LEASE_MS,
  type TailRequest,
} from '../../../../protocol/logs.ts';
import { TokenBucket } from '../../../../shared/rates/token-bucket.ts';
import { runOutside } from '../execution-context.ts';

/** Entries that are logged within this time go together (milliseconds). */
const BATCH_MS = 100;

/** While entries are dropped, nobody can read along: then they go together for longer, so that a flood costs few messages. */
const FLOOD_BATCH_MS = 500;

/** More characters than this are sent at once. */
const BATCH_CHARS = 32_768;

/** So many characters count as one line. */
const LINE_CHARS = 256;

/** So many seconds of the rate can be used at once. */
const BURST_SECONDS = 2;

/** The number of tails that a node serves. */
const MAX_TAILS = 32;

/** The version that has logged something. */
export type Logging = Pick<LogEntry, 'module' | 'revision'>;

/**
 * Sends what modules log while somebody looks: a tail takes a lease, and renews it. Nothing is done without one. What exceeds the
 * rate is dropped, and counted.
 */
export class LogTail implements Disposable {
  readonly #publish: (message: Omit<LogMessage, 'node'>) => void;
  readonly #now: () => number;
  readonly #leases = new Map<string, { readonly filter: TailRequest; readonly until: number }>();
  readonly #bucket: TokenBucket;
  /** Whether a tail asks for everything. */
  #isAll = false;
  /** The rate is used up. It is looked at again with the next timer: a flood asks far more often than it changes. */
  #isExhausted = false;
  #entries: LogEntry[] = [];
  #chars = 0;
  #dropped = 0;
  #timer: NodeJS.Timeout | null = null;

  /** @param now a clock, in milliseconds since any fixed moment. */
  constructor(publish: (message: Omit<LogMessage, 'node'>) => void, now: () => number = () => performance.now()) {
    this.#publish = publish;
    this.#now = now;
    this.#bucket = new TokenBucket(MAX_TAIL_RATE, MAX_TAIL_RATE * BURST_SECONDS, now);
  }

  /** Begins, renews or ends the lease of a tail. */
  lease(request: TailRequest): void {
    this.#expire();
    if (request.rate === 0) this.#leases.delete(request.id);
    else if (this.#leases.size < MAX_TAILS || this.#leases.has(request.id)) {
      this.#leases.set(request.id, { filter: request, until: this.#now() + TAIL_LEASE_MS });
    }
    const filters = [...this.#leases.values()].map(({ filter }) => filter);
    this.#isAll = filters.some(isOpenToAll);
    const rate = Math.max(0, ...filters.map(filter => filter.rate));
    this.#bucket.setRate(rate, Math.max(1, rate * BURST_SECONDS));
    if (this.#leases.size === 0) this.#clear();
  }

  /** Whether somebody looks. */
  get isOpen(): boolean {
    if (this.#leases.size === 0) return false;
    if (this.#isExhausted) return true;
    this.#expire();
    return this.#leases.size > 0;
  }

  /**
   * Sends what a version has logged, if a tail asks for it and the rate allows it. What is dropped costs little.
   *
   * @param more in which call.
   */
  add({ module, revision }: Logging, level: LogEntry['level'], whole: string, more: Pick<LogEntry, 'call'> = {}): void {
    if (!this.#isAll && !this.#isAskedFor({ module, level, text: whole })) return;
    if (this.#isExhausted) {
      this.#dropped += 1;
      return;
    }
    const text = whole.slice(0, MAX_LOG_TEXT);
    if (this.#bucket.take(1 + Math.floor(text.length / LINE_CHARS))) {
      this.#entries.push({ at: Date.now(), module, revision, level, text, ...more });
      this.#chars += text.length;
    } else {
      this.#isExhausted = true;
      this.#dropped += 1;
    }
    if (this.#chars > BATCH_CHARS) this.flush();
    else if (this.#timer === null) this.#wait(BATCH_MS, () => this.#endBatch());
  }

  #isAskedFor(logged: Parameters<typeof passes>[1]): boolean {
    for (const { filter } of this.#leases.values()) if (passes(filter, logged)) return true;
    return false;
  }

  #endBatch(): void {
    this.#isExhausted = false;
    if (this.#dropped === 0) this.flush();
    else this.#wait(FLOOD_BATCH_MS - BATCH_MS, () => this.flush());
  }

  /** A module may have called this: the timer is the node's own. */
  #wait(ms: number, then: () => void): void {
    this.#timer = runOutside(() => setTimeout(then, ms).unref());
  }

  /** Sends what waits. */
  flush(): void {
    const message = { entries: this.#entries, dropped: this.#dropped };
    this.#clear();
    if (message.entries.length > 0 || message.dropped > 0) runOutside(() => this.#publish(message));
  }

  /** Ends all leases. */
  [Symbol.dispose](): void {
    this.#leases.clear();
    this.#clear();
  }

  #clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#entries = [];
    this.#chars = 0;
    this.#dropped = 0;
    this.#isExhausted = false;
  }

  #expire(): void {
    const now = this.#now();
    for (const [id, { until }] of this.#leases) if (now > until) this.#leases.delete(id);
  }
}

function isOpenToAll({ modules, level, grep }: TailRequest): boolean {
  return modules.length === 0 && level === LOG_LEVELS[0] && grep === '';
}
