import { TokenBucket } from './token-bucket.ts';

/** So many events of one node are read at once, and so many a second in the long run. A node sends one in 2 seconds. */
const BURST = 50;
const PER_SECOND = 20;

/** How long a node counts as flooding after its last event that was not read (milliseconds). */
const FLOOD_MS = 60_000;

/** The number of nodes that are remembered: names cost whoever has the key of a node nothing. */
const MAX_NODES = 20_000;

/** Limits what one node can have the controller or the console read: what exceeds it is dropped before it is parsed. */
export class EventBudget {
  readonly #now: () => number;
  readonly #nodes = new Map<string, { readonly bucket: TokenBucket; dropped: number; droppedAt: number }>();

  /** @param now a clock, in milliseconds since any fixed moment. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Whether an event of a node is to be read. */
  take(node: string): boolean {
    const now = this.#now();
    const known = this.#nodes.get(node) ?? this.#add(node);
    if (known.bucket.take()) return true;
    if (now - known.droppedAt > FLOOD_MS) known.dropped = 0;
    known.dropped += 1;
    known.droppedAt = now;
    return false;
  }

  /** The nodes that have sent too much in the last minute, and how many events of each were dropped. */
  floods(): { readonly node: string; readonly dropped: number }[] {
    const since = this.#now() - FLOOD_MS;
    return [...this.#nodes].flatMap(([node, { dropped, droppedAt }]) => (droppedAt > since ? [{ node, dropped }] : []));
  }

  #add(node: string) {
    const [oldest] = this.#nodes.keys();
    if (this.#nodes.size >= MAX_NODES && oldest !== undefined) this.#nodes.delete(oldest);
    const added = { bucket: new TokenBucket(PER_SECOND, BURST, this.#now), dropped: 0, droppedAt: -Infinity };
    this.#nodes.set(node, added);
    return added;
  }
}
