import type { Head } from '../../../protocol/head.ts';

/** So often in an hour a module is rolled back because of what nodes say. */
export const MAX_ROLLBACKS_AN_HOUR = 3;

const HOUR_MS = 3_600_000;

/**
 * Limits the rollbacks of a module that nodes bring about. It counts the time since this process has seen one, by its monotonic
 * clock. What is in a history and was written before this process started is as old as this.
 */
export class RollbackLimit {
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly #seenAt = new Map<string, number>();

  /** @param now a clock that never goes back, in milliseconds since any fixed moment. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#startedAt = now();
  }

  /** Takes the newest heads. */
  observe(heads: readonly Head[]): void {
    const now = this.#now();
    const newest = new Set(heads.filter(isByWatchdog).map(keyOf));
    for (const key of newest) if (!this.#seenAt.has(key)) this.#seenAt.set(key, now);
    // What is still the newest head would be taken for new again.
    for (const [key, at] of this.#seenAt) if (now - at >= HOUR_MS && !newest.has(key)) this.#seenAt.delete(key);
  }

  /** Whether a module with this history was rolled back as often as it can be. */
  isReached(history: readonly Head[]): boolean {
    const now = this.#now();
    const recent = history
      .filter(isByWatchdog)
      .filter(head => now - (this.#seenAt.get(keyOf(head)) ?? this.#startedAt) < HOUR_MS);
    return recent.length >= MAX_ROLLBACKS_AN_HOUR;
  }
}

const isByWatchdog = ({ cause }: Head): boolean => cause === 'watchdog';

const keyOf = ({ module, sequence }: Head): string => `${module} ${sequence}`;
