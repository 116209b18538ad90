import { HEARTBEAT_TIMEOUT } from '../../../protocol/limits.ts';

/** A canary's node whose event loop was later than this has stalled (milliseconds). */
export const STALL = 2_000;

/** What is known of one node that runs a canary's revision. Times in milliseconds since any fixed moment. */
export interface NodeHealth {
  /** Its process's start: another one means that the process died. */
  readonly startedAt: number;
  readonly heardAt: number;
  readonly calls: number;
  readonly errors: number;
}

/** Why a canary failed, in a word and in a line. */
export interface Failure {
  readonly reason: 'errors' | 'stalled' | 'died' | 'silent';
  readonly detail: string;
}

export type CanaryEvent =
  /** A node in the scope told how it is; `revision` is what it runs of the module. */
  | {
      readonly type: 'heard';
      readonly node: string;
      readonly at: number;
      readonly startedAt: number;
      readonly revision: string | null;
      readonly calls: number;
      readonly errors: number;
      readonly loopDelay: number;
      /** Why it refuses the canary's revision, which brought it down; null when it does not. */
      readonly banned: string | null;
    }
  /** A node said goodbye: a clean stop is no failure. */
  | { readonly type: 'left'; readonly node: string }
  /** Time has passed. */
  | { readonly type: 'tick'; readonly at: number };

/**
 * A canary on trial: what becomes of it by what its nodes tell. One that has failed stays failed, whatever comes. What a
 * node tells takes the same time for ten nodes and for ten thousand.
 */
export class CanaryHealth {
  readonly #revision: string;
  readonly #maxErrors: number;
  readonly #nodes: Map<string, NodeHealth>;
  readonly #totals = { calls: 0, errors: 0 };
  #failure: Failure | null = null;

  /**
   * @param maxErrors more failed calls than this end the trial
   * @param nodes the nodes in the scope that are there: their silence or death counts before they told anything
   */
  constructor(revision: string, maxErrors: number, nodes: ReadonlyMap<string, NodeHealth> = new Map()) {
    this.#revision = revision;
    this.#maxErrors = maxErrors;
    this.#nodes = new Map(nodes);
    for (const watched of nodes.values()) this.#count(watched, 1);
  }

  /** Null as long as the trial goes on. */
  get failure(): Failure | null {
    return this.#failure;
  }

  /** Calls and failed calls on the canary's revision, over all its nodes. */
  get totals(): { readonly calls: number; readonly errors: number } {
    return { ...this.#totals };
  }

  take(event: CanaryEvent): void {
    if (this.#failure !== null) return;
    switch (event.type) {
      case 'heard':
        this.#failure = this.#hear(event);
        return;
      case 'left':
        this.#watch(event.node, null);
        return;
      case 'tick':
        this.#failure = this.#findSilent(event.at);
        return;
      default: {
        const check: never = event;
        return check;
      }
    }
  }

  #hear({
    node,
    at,
    startedAt,
    revision,
    calls,
    errors,
    loopDelay,
    banned,
  }: CanaryEvent & { type: 'heard' }): Failure | null {
    const before = this.#nodes.get(node);
    if (banned !== null) return { reason: 'stalled', detail: `stalled on ${node}: ${banned}` };
    if (before !== undefined && before.startedAt !== startedAt) {
      return { reason: 'died', detail: `${node} died and was started again` };
    }
    if (revision !== this.#revision) {
      if (before !== undefined) this.#watch(node, { ...before, heardAt: at });
      return null;
    }
    this.#watch(node, { startedAt, heardAt: at, calls, errors });
    if (before !== undefined && loopDelay > STALL) {
      return { reason: 'stalled', detail: `${node} stalled for ${loopDelay} ms` };
    }
    const sum = this.#totals;
    if (sum.errors <= this.#maxErrors) return null;
    return { reason: 'errors', detail: `${sum.errors} of ${sum.calls} calls failed` };
  }

  #findSilent(now: number): Failure | null {
    for (const [node, { heardAt }] of this.#nodes) {
      if (now - heardAt > HEARTBEAT_TIMEOUT) return { reason: 'silent', detail: `${node} was not heard any more` };
    }
    return null;
  }

  /** Puts what is known of a node in the place of what was, and the totals right. */
  #watch(node: string, watched: NodeHealth | null): void {
    const before = this.#nodes.get(node);
    if (before !== undefined) this.#count(before, -1);
    if (watched === null) this.#nodes.delete(node);
    else {
      this.#nodes.set(node, watched);
      this.#count(watched, 1);
    }
  }

  #count({ calls, errors }: NodeHealth, times: 1 | -1): void {
    this.#totals.calls += times * calls;
    this.#totals.errors += times * errors;
  }
}
