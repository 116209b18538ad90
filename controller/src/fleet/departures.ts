import type { Member } from './roster.ts';

/** The nodes that have left since a command began. It does not wait for them, and does not count them. */
export interface Departed {
  readonly has: (node: string) => boolean;
  /** Calls a listener when there can be one more, until it is disposed. */
  readonly onChange: (listener: () => void) => Disposable;
}

/** Nobody leaves. */
export const NOBODY: Departed = { has: () => false, onChange: () => ({ [Symbol.dispose]: () => undefined }) };

/** How often the containers are looked at while somebody waits for nodes (milliseconds). */
const LOOK_INTERVAL_MS = 500;

/** Knows which nodes have left: they have said goodbye, or their containers were removed. */
export class Departures {
  /** The nodes that said goodbye, and until when their containers can still run. */
  readonly #leaving = new Map<string, { readonly member: Member; readonly until: number }>();
  /** When each node took its last request, and when it gave its last answer, by `performance.now`. */
  readonly #left = new Map<string, number>();
  readonly #ended = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  readonly #existing: () => Promise<ReadonlySet<string> | null>;

  /** @param existing reads the ids of all containers; null when they are not known. */
  constructor(existing: () => Promise<ReadonlySet<string> | null>) {
    this.#existing = existing;
  }

  /** A node takes no more requests. When it `hasEnded`, it gives no more answers either. */
  goodbye(member: Member, leavesWithinMs: number, hasEnded: boolean): void {
    const now = performance.now();
    this.#leaving.set(member.node, { member, until: now + leavesWithinMs });
    this.#left.set(member.node, now);
    if (hasEnded) this.#ended.set(member.node, now);
    for (const listener of this.#listeners) listener();
  }

  /** A node is there again. */
  back(node: string): void {
    this.#leaving.delete(node);
  }

  /** The nodes that said goodbye, and whose containers can still run. */
  get leaving(): Member[] {
    const now = performance.now();
    for (const [node, { until }] of this.#leaving) if (now > until) this.#leaving.delete(node);
    return [...this.#leaving.values()].map(({ member }) => member);
  }

  /**
   * Those of the members that leave from now on, and those of them that have `ended`: a call that a node took before it left is
   * answered until then.
   *
   * @param known the ids of the containers that the roster names now. One that it does not name any more was removed; one
   * that only ended can have crashed.
   */
  fromNow(
    members: readonly Member[],
    known: ReadonlySet<string>,
  ): { readonly departed: Departed; readonly ended: Departed } {
    const since = performance.now();
    const removed = new Set<string>();
    let look: Promise<void> | null = null;
    const lookOnce = async (): Promise<void> => {
      const existing = await this.#existing();
      look = null;
      if (existing === null) return;
      for (const { node, container } of members) {
        if (known.has(container) && !existing.has(container)) removed.add(node);
      }
    };
    const viewOf = (times: ReadonlyMap<string, number>): Departed => ({
      has: node => removed.has(node) || (times.get(node) ?? -Infinity) >= since,
      onChange: listener => {
        this.#listeners.add(listener);
        const timer = setInterval(() => void (look ??= lookOnce()).then(listener), LOOK_INTERVAL_MS);
        const dispose = (): void => {
          clearInterval(timer);
          this.#listeners.delete(listener);
        };
        return { [Symbol.dispose]: dispose };
      },
    });
    return { departed: viewOf(this.#left), ended: viewOf(this.#ended) };
  }
}
