const INTERVAL_MS = 60_000;

/**
 * Limits log lines that somebody else can cause at will. The first event of a kind is logged at once, the next ones together
 * once a minute.
 */
export class LogThrottle {
  readonly #now: () => number;
  readonly #kinds = new Map<string, { loggedAt: number; count: number }>();

  /** @param now a clock, in milliseconds since any fixed moment. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Counts an event.
   *
   * @param kind one of few: each uses memory for ever.
   * @returns the number of events since the last log line, when it is time for one; else null.
   */
  count(kind: string): number | null {
    const now = this.#now();
    const { loggedAt, count } = this.#kinds.get(kind) ?? { loggedAt: -Infinity, count: 0 };
    const isDue = now - loggedAt >= INTERVAL_MS;
    this.#kinds.set(kind, isDue ? { loggedAt: now, count: 0 } : { loggedAt, count: count + 1 });
    return isDue ? count + 1 : null;
  }
}
