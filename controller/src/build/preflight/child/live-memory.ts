import { collectGarbage } from '../../../../../shared/collect-garbage.ts';

/** How much garbage a measurement can contain, in bytes. A collection takes longer than a small module needs to load. */
const MAX_GARBAGE_BYTES = 8 * 2 ** 20;

/** Measures the live memory of this process: objects and buffers. */
export class LiveMemory {
  readonly #count: () => number;
  readonly #collect: () => void;
  /** What was counted after the last collection. */
  #collected: number;

  constructor(count = countBytes, collect = collectTwice) {
    this.#count = count;
    this.#collect = collect;
    this.#collected = count();
  }

  /** Live memory in bytes, with at most 8 MB of garbage. */
  bytes(): number {
    const counted = this.#count();
    if (counted - this.#collected <= MAX_GARBAGE_BYTES) return counted;
    this.#collect();
    this.#collected = this.#count();
    return this.#collected;
  }
}

function countBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** The memory of buffers that one collection frees is counted as free by the next one. */
function collectTwice(): void {
  collectGarbage();
  collectGarbage();
}
