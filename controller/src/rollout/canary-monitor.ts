import { type CanaryScope, inScope } from '../../../protocol/canary-scope.ts';
import type { Head } from '../../../protocol/head.ts';
import { HEARTBEAT_INTERVAL } from '../../../protocol/limits.ts';
import type { NodeDescription } from '../../../protocol/messages.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import type { Logger } from '../../../shared/logger.ts';
import type { OnReport } from '../api/command.ts';
import type { Membership } from '../fleet/membership.ts';
import { type CanaryEvent, CanaryHealth, type NodeHealth } from './canary-health.ts';

/** What became of a canary that was watched, with one line for people. */
export interface CanaryResult {
  /**
   * `passed`: nothing failed in the time. `undecided`: nothing failed, but its nodes took too few calls. `failed`: it is rolled
   * back. `replaced`: another head has replaced it.
   */
  readonly status: 'passed' | 'undecided' | 'failed' | 'replaced';
  readonly detail: string;
}

/** How a canary is watched. */
export interface Watch {
  /** How long (milliseconds). */
  readonly timeMs: number;
  /** With fewer calls than this, the canary is undecided. */
  readonly minCalls: number;
}

interface OpenCanary {
  readonly head: Head;
  readonly health: CanaryHealth;
  /** Set when the canary has failed: settles when the rollback is committed. */
  rollback: Promise<void> | null;
}

/** How often the silence of nodes is checked (milliseconds). */
const TICK_MS = 500;

/**
 * Monitors every canary that is open in the heads, for as long as it is open, and rolls it back when it fails. What it knows
 * follows from heads and heartbeats alone, so a controller that starts takes over where the last one stopped.
 */
export class CanaryMonitor implements Disposable {
  readonly #open = new Map<string, OpenCanary>();
  readonly #membership: Membership;
  readonly #rollBack: (head: Head, note: string) => Promise<void>;
  readonly #log: Logger;
  readonly #timer: NodeJS.Timeout;

  /** `rollBack` is called once for each canary that fails; when it rejects, again at the next event. */
  constructor(membership: Membership, rollBack: (head: Head, note: string) => Promise<void>, log: Logger) {
    this.#membership = membership;
    this.#rollBack = rollBack;
    this.#log = log;
    membership.onEvent((kind, description) => this.#handle(kind, description));
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** Takes the newest heads: a canary in them is monitored, and one whose head was replaced is over. */
  observe(heads: readonly Head[]): void {
    for (const head of heads) {
      const open = this.#open.get(head.module);
      if (open !== undefined && open.head.sequence >= head.sequence) continue;
      if (head.canary === null) this.#open.delete(head.module);
      else {
        const { revision, scope, maxErrors } = head.canary;
        const health = new CanaryHealth(revision, maxErrors, this.#nodesIn(scope));
        this.#open.set(head.module, { head, health, rollback: null });
      }
    }
  }

  /** Whether any canary is open. */
  get isCanaryOpen(): boolean {
    return this.#open.size > 0;
  }

  /**
   * Waits until a canary in these heads fails, or the time is over. The canary is monitored also after that.
   *
   * @throws the reason of `signal` when that is aborted.
   */
  async watch(
    heads: readonly Head[],
    { timeMs, minCalls }: Watch,
    report: OnReport,
    signal: AbortSignal,
  ): Promise<CanaryResult> {
    this.observe(heads);
    const canaries = heads.flatMap(({ module }) => this.#open.get(module) ?? []);
    const startedAt = performance.now();
    for (;;) {
      signal.throwIfAborted();
      const elapsed = performance.now() - startedAt;
      const failed = canaries.find(({ health }) => health.failure !== null);
      if (failed !== undefined) {
        await failed.rollback;
        return { status: 'failed', detail: `${failed.head.module}: ${failed.health.failure?.detail ?? ''}` };
      }
      const isReplaced = canaries.some(canary => this.#open.get(canary.head.module) !== canary);
      if (isReplaced) return { status: 'replaced', detail: 'another head has replaced the canary' };
      if (elapsed >= timeMs) {
        const { calls, errors } = totalsOf(canaries);
        const seen = `${calls} calls, ${errors} failed, in ${Number((elapsed / 1_000).toPrecision(2))} s`;
        return { status: calls < minCalls ? 'undecided' : 'passed', detail: seen };
      }
      const seconds = { answered: Math.round(elapsed / 1_000), expected: timeMs / 1_000 };
      report({ type: 'progress', phase: 'watching, seconds', ...seconds });
      await new Promise(resolve => setTimeout(resolve, Math.min(TICK_MS, timeMs - elapsed)));
    }
  }

  /** The nodes in a scope that are present when the canary opens. */
  #nodesIn(scope: CanaryScope): Map<string, NodeHealth> {
    const inside = this.#membership.present().filter(({ node }) => inScope(scope, node));
    return new Map(
      inside.map(each => [each.node, { startedAt: each.startedAt, heardAt: heardAt(each), calls: 0, errors: 0 }]),
    );
  }

  #handle(kind: string, description: NodeDescription): void {
    for (const open of this.#open.values()) {
      const { canary, module } = open.head;
      if (canary === null || !inScope(canary.scope, description.node)) continue;
      const { node, startedAt, loopDelay, modules, refusals } = description;
      const running = modules[module];
      const refusal = refusals[module];
      const isBanned = refusal?.reason === 'banned' && refusal.sequence === open.head.sequence;
      this.#update(
        open,
        kind === 'goodbye'
          ? { type: 'left', node }
          : {
              type: 'heard',
              node,
              at: heardAt(description),
              startedAt,
              revision: running?.revision ?? null,
              calls: running?.calls ?? 0,
              errors: running?.errors ?? 0,
              loopDelay,
              banned: isBanned ? refusal.detail : null,
            },
      );
    }
  }

  #tick(): void {
    for (const open of this.#open.values()) this.#update(open, { type: 'tick', at: performance.now() });
  }

  #update(open: OpenCanary, event: CanaryEvent): void {
    open.health.update(event);
    const { failure } = open.health;
    const { module, canary } = open.head;
    if (failure === null || canary === null || open.rollback !== null) return;
    const { reason, detail } = failure;
    this.#log.warn({ module, revision: shortRevision(canary.revision), reason, detail }, 'canary failed, rolling back');
    open.rollback = this.#rollBack(open.head, `automatic rollback: ${detail}`).catch((error: unknown) => {
      this.#log.error({ err: error, module }, 'a canary could not be rolled back; trying again');
      open.rollback = null;
    });
  }
}

/** The time of a heartbeat; later by as much as the node's own interval is longer than the usual one. */
function heardAt({ heartbeatInterval = HEARTBEAT_INTERVAL }: NodeDescription): number {
  return performance.now() + heartbeatInterval - HEARTBEAT_INTERVAL;
}

/** The calls on the revisions of canaries, over all their nodes. */
function totalsOf(canaries: readonly OpenCanary[]): { readonly calls: number; readonly errors: number } {
  const totals = canaries.map(({ health }) => health.totals);
  const calls = totals.reduce((sum, each) => sum + each.calls, 0);
  const errors = totals.reduce((sum, each) => sum + each.errors, 0);
  return { calls, errors };
}
