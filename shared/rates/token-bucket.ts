/** Limits a rate: so many tokens a second in the long run, and a burst of some at once. */
export class TokenBucket {
  readonly #now: () => number;
  #perSecond: number;
  #burst: number;
  #left: number;
  #at: number;

  /** @param now a clock, in milliseconds since any fixed moment. */
  constructor(perSecond: number, burst: number, now: () => number = () => performance.now()) {
    this.#now = now;
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#left = burst;
    this.#at = now();
  }

  /** Whether there is a token. What costs more than is left makes the next ones wait. */
  take(cost = 1): boolean {
    this.#refill();
    if (this.#left < 1) return false;
    this.#left -= cost;
    return true;
  }

  /** Changes the limits. What was taken stays taken. */
  setRate(perSecond: number, burst: number): void {
    this.#refill();
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#left = Math.min(this.#left, burst);
  }

  #refill(): void {
    const now = this.#now();
    this.#left = Math.min(this.#burst, this.#left + ((now - this.#at) * this.#perSecond) / 1_000);
    this.#at = now;
  }
}
