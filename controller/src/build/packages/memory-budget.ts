/**
 * Runs work that takes much memory: beside other work as long as all of it takes no more than a limit. What takes more than that
 * alone runs alone. Work begins in the order in which it was asked for.
 */
export class MemoryBudget {
  readonly #limit: number;
  readonly #waiting: { readonly bytes: number; readonly begin: () => void }[] = [];
  #taken = 0;

  /** @param limit in bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @param bytes how much the work takes. */
  async use<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    const share = Math.min(bytes, this.#limit);
    if (this.#waiting.length > 0 || !this.take(share)) {
      await new Promise<void>(begin => this.#waiting.push({ bytes: share, begin }));
    }
    try {
      return await work();
    } finally {
      this.give(share);
    }
  }

  /** Takes so many bytes, if that many are free. Returns whether they were. */
  take(bytes: number): boolean {
    if (this.#taken + bytes > this.#limit) return false;
    this.#taken += bytes;
    return true;
  }

  /** Gives back what was taken. */
  give(bytes: number): void {
    this.#taken -= bytes;
    for (let [next] = this.#waiting; next !== undefined && this.take(next.bytes); [next] = this.#waiting) {
      this.#waiting.shift();
      next.begin();
    }
  }
}
