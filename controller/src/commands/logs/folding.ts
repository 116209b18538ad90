import type { LogEntry } from '../../../../protocol/logs.ts';
import { TokenBucket } from '../../../../shared/rates/token-bucket.ts';
import type { Logged } from '../../api/report.ts';

/** Equal entries that arrive within this time are one (milliseconds). */
const MOMENT_MS = 250;

/** So many different entries a second are shown in the long run, and so many at once. */
const SHOWN_PER_SECOND = 100;
const BURST = 300;

/** An entry, the nodes that logged it, and how often. */
interface Folded extends LogEntry {
  readonly arrivedAt: number;
  readonly nodes: Set<string>;
  count: number;
}

/** Folds equal entries of many nodes within a moment into one. What exceeds the rate of a tail is dropped, and counted. */
export class Folding {
  readonly #now: () => number;
  readonly #bucket: TokenBucket;
  readonly #pending = new Map<string, Folded>();
  #dropped = 0;

  /** @param now a clock, in milliseconds since any fixed moment. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#bucket = new TokenBucket(SHOWN_PER_SECOND, BURST, now);
  }

  add(node: string, entry: LogEntry): void {
    const { module, revision, level, text, call } = entry;
    const key = [module, revision, level, text, call?.id, call?.line].join('\n');
    const equal = this.#pending.get(key);
    if (equal !== undefined) {
      equal.nodes.add(node);
      equal.count += 1;
    } else if (this.#bucket.take()) {
      this.#pending.set(key, { ...entry, arrivedAt: this.#now(), nodes: new Set([node]), count: 1 });
    } else this.#dropped += 1;
  }

  /** Counts entries that nodes have dropped. */
  drop(count: number): void {
    this.#dropped += count;
  }

  /** Takes the entries whose moment is over, in the order in which they came. */
  takeEntries(): Logged['entries'] {
    const taken: Logged['entries'][number][] = [];
    for (const [key, { arrivedAt, nodes, ...entry }] of this.#pending) {
      if (this.#now() - arrivedAt < MOMENT_MS) break;
      this.#pending.delete(key);
      taken.push({ ...entry, nodes: [...nodes] });
    }
    return taken;
  }

  /** Takes the number of dropped entries. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }
}
