/** The first of a kind is told at once, the next ones together once in this time (milliseconds). */
const TOLD_EVERY = 60_000;

/** Counts what somebody else can cause at will, so that a flood of it makes a line a minute. */
export class LogThrottle {
  readonly #now: () => number;
  readonly #told = new Map<string, { at: number; since: number }>();

  /** @param now milliseconds since any fixed moment. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Counts one more.
   *
   * @param kind of few: each is remembered.
   * @returns how many there were since the last that was told, when this one is to be told; else null.
   */
  count(kind: string): number | null {
    const now = this.#now();
    const told = this.#told.get(kind) ?? { at: -Infinity, since: 0 };
    this.#told.set(kind, told);
    told.since += 1;
    if (now - told.at < TOLD_EVERY) return null;
    const { since } = told;
    told.at = now;
    told.since = 0;
    return since;
  }
}
