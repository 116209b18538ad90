import { HEARTBEAT_TIMEOUT } from '../../../protocol/limits.ts';

/** A node whose event loop was delayed for longer has stalled (milliseconds). */
export const MAX_LOOP_DELAY_MS = 2_000;

/** The state of one node that runs a canary's revision. Times in milliseconds since any fixed moment. */
export interface NodeHealth {
  /** When its process started. Another value later means that the process died. */
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
  /** A node in the scope sent its description; `revision` is what it runs of the module. */
  | {
      readonly type: 'heard';
      readonly node: string;
      readonly at: number;
      readonly startedAt: number;
      readonly revision: string | null;
      readonly calls: number;
      readonly errors: number;
      readonly loopDelay: number;
      /** Why the node's watchdog ended the canary's revision; null when it did not. */
      readonly banned: string | null;
    }
  /** A node stopped cleanly, which is no failure. */
  | { readonly type: 'left'; readonly node: string }
  /** Time has passed. */
  | { readonly type: 'tick'; readonly at: number };

/**
 * Judges a canary by the events of its nodes. A canary that has failed stays failed. An event takes the same time for ten nodes
 * and for ten thousand.
 */
export class CanaryHealth {
  readonly #revision: string;
  readonly #maxErrors: number;
  readonly #nodes: Map<string, NodeHealth>;
  readonly #totals = { calls: 0, errors: 0 };
  #failure: Failure | null = null;

  /**
   * @param maxErrors the canary fails when more calls than this fail.
   * @param nodes the nodes in the scope that are present at the start. Their silence or death counts from the start.
   */
  constructor(revision: string, maxErrors: number, nodes: ReadonlyMap<string, NodeHealth> = new Map()) {
    this.#revision = revision;
    this.#maxErrors = maxErrors;
    this.#nodes = new Map(nodes);
    for (const health of nodes.values()) this.#count(health, 1);
  }

  /** Null as long as the canary has not failed. */
  get failure(): Failure | null {
    return this.#failure;
  }

  /** The nodes that are known to be in the canary, without those that left. */
  get nodes(): string[] {
    return [...this.#nodes.keys()];
  }

  /** Calls and errors on the canary's revision, over all its nodes, also those that left. */
  get totals(): { readonly calls: number; readonly errors: number } {
    return { ...this.#totals };
  }

  update(event: CanaryEvent): void {
    if (this.#failure !== null) return;
    switch (event.type) {
      case 'heard':
        this.#failure = this.#checkHeard(event);
        return;
      case 'left':
        this.#nodes.delete(event.node);
        return;
      case 'tick':
        this.#failure = this.#findSilent(event.at);
        return;
    }
  }

  #checkHeard({
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
      if (before !== undefined) this.#set(node, { ...before, heardAt: at });
      return null;
    }
    this.#set(node, { startedAt, heardAt: at, calls, errors });
    if (before !== undefined && loopDelay > MAX_LOOP_DELAY_MS) {
      return { reason: 'stalled', detail: `${node} stalled for ${loopDelay} ms` };
    }
    const sum = this.#totals;
    if (sum.errors <= this.#maxErrors) return null;
    return { reason: 'errors', detail: `${sum.errors} of ${sum.calls} calls failed` };
  }

  #findSilent(now: number): Failure | null {
    for (const [node, { heardAt }] of this.#nodes) {
      if (now - heardAt > HEARTBEAT_TIMEOUT) return { reason: 'silent', detail: `${node} went silent` };
    }
    return null;
  }

  /** Replaces the state of a node, and corrects the totals. */
  #set(node: string, health: NodeHealth): void {
    const before = this.#nodes.get(node);
    if (before !== undefined) this.#count(before, -1);
    this.#nodes.set(node, health);
    this.#count(health, 1);
  }

  #count({ calls, errors }: NodeHealth, times: 1 | -1): void {
    this.#totals.calls += times * calls;
    this.#totals.errors += times * errors;
  }
}
