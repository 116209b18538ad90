import { type CanaryScope, inScope } from '../../../protocol/canary-scope.ts';
import type { Head } from '../../../protocol/head.ts';
import { HEARTBEAT_INTERVAL } from '../../../protocol/limits.ts';
import type { NodeDescription } from '../../../protocol/messages.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import type { Logger } from '../../../shared/logger.ts';
import type { Client } from '../api/report.ts';
import type { Membership } from '../fleet/membership.ts';
import { type CanaryResult, describeOpen, endOf, judge, type Seen, type Watch } from './canary-result.ts';
import { type CanaryEvent, CanaryHealth, type NodeHealth } from './canary-health.ts';

export interface CanaryMonitorDeps {
  readonly membership: Pick<Membership, 'present' | 'onEvent'>;
  /** Is called once for each canary that fails; when it rejects, again at the next event. */
  readonly rollBack: (head: Head, note: string) => Promise<void>;
  /** Reads the newest head of every module. */
  readonly heads: () => Promise<readonly Head[]>;
  /** Asks nodes to describe themselves now. One that does not answer in time (milliseconds) is missing. */
  readonly describe: (nodes: ReadonlySet<string>, timeoutMs: number, signal: AbortSignal) => Promise<NodeDescription[]>;
  readonly log: Logger;
}

type Looked = Pick<Seen, 'running' | 'silent'>;

interface OpenCanary {
  readonly head: Head;
  readonly health: CanaryHealth;
  /** Set when the canary has failed: settles when the rollback is committed. */
  rollback: Promise<void> | null;
  /** The nodes in the scope that have stopped cleanly. */
  readonly left: Set<string>;
  /** The head that was written in its place; null while it is open. */
  replacedBy: Head | null;
}

/** How often the silence of nodes is checked (milliseconds). */
const TICK_MS = 500;

/**
 * Monitors every canary that is open in the heads, for as long as it is open, and rolls it back when it fails. What it knows
 * follows from heads and heartbeats alone, so a controller that starts takes over where the last one stopped.
 */
export class CanaryMonitor implements Disposable {
  readonly #open = new Map<string, OpenCanary>();
  readonly #deps: CanaryMonitorDeps;
  readonly #timer: NodeJS.Timeout;

  constructor(deps: CanaryMonitorDeps) {
    this.#deps = deps;
    deps.membership.onEvent((kind, description) => this.#handle(kind, description));
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
      if (open !== undefined) open.replacedBy = head;
      if (head.canary === null) this.#open.delete(head.module);
      else {
        const { revision, scope, maxErrors } = head.canary;
        const health = new CanaryHealth(revision, maxErrors, this.#nodesIn(scope));
        this.#open.set(head.module, { head, health, rollback: null, left: new Set(), replacedBy: null });
      }
    }
  }

  /** Whether any canary is open. */
  get isCanaryOpen(): boolean {
    return this.#open.size > 0;
  }

  /**
   * Waits until a canary in these heads fails or is replaced, or the time is over. Then its nodes are asked how they are. The
   * canary is monitored also after that.
   *
   * @throws the reason of the client's signal when that is aborted.
   */
  async watch(heads: readonly Head[], watch: Watch, { report, signal, holds }: Client): Promise<CanaryResult> {
    this.observe(heads);
    const startedAt = performance.now();
    const canaries = heads.map(head => this.#canaryOf(head));
    let looked: Looked = { running: [], silent: [] };
    let isOver = false;
    holds(describeOpen(heads, watch.fleet));
    for (;;) {
      signal.throwIfAborted();
      const elapsedMs = performance.now() - startedAt;
      const seen = { ...totalsOf(canaries), ...looked, elapsedMs };
      const failed = canaries.find(({ health }) => health.failure !== null);
      const failure = failed === undefined ? null : `${failed.head.module}: ${failed.health.failure?.detail ?? ''}`;
      for (const { head, replacedBy } of canaries) {
        if (replacedBy !== null) return endOf(head, replacedBy, failure, seen);
      }
      if (failed !== undefined) {
        holds(`the canary failed and is being rolled back: ${failure}`);
        await failed.rollback;
        await this.#readHeads();
      } else if (isOver) return judge(heads, seen, watch);
      else if (elapsedMs >= watch.timeMs) {
        looked = await this.#look(canaries, watch, signal);
        isOver = true;
        continue;
      }
      if (failed?.replacedBy) continue;
      const seconds = { answered: Math.round(elapsedMs / 1_000), expected: watch.timeMs / 1_000 };
      report({ type: 'progress', phase: 'watching, seconds', ...seconds });
      const waitMs = failed === undefined ? Math.min(TICK_MS, watch.timeMs - elapsedMs) : TICK_MS;
      await new Promise(resolve => setTimeout(resolve, waitMs));
    }
  }

  /** The open canary of a head, or one that was replaced before it was observed. */
  #canaryOf(head: Head): OpenCanary {
    const open = this.#open.get(head.module);
    if (open?.head.sequence === head.sequence) return open;
    const health = new CanaryHealth(head.canary?.revision ?? '', 0);
    return { head, health, rollback: null, left: new Set(), replacedBy: open?.head ?? null };
  }

  /** Reads which canaries were replaced, and asks the nodes of these how they are. */
  async #look(canaries: readonly OpenCanary[], { fleet, timeoutMs }: Watch, signal: AbortSignal): Promise<Looked> {
    await this.#readHeads();
    const names = new Set(canaries.flatMap(canary => nodesOf(canary, fleet)));
    const descriptions = await this.#deps.describe(names, timeoutMs, signal);
    for (const description of descriptions) this.#handle('heartbeat', description);
    const answered = new Set(descriptions.map(({ node }) => node));
    const running = descriptions.filter(({ node, modules }) =>
      canaries.every(
        ({ head: { module, canary } }) => names.has(node) && modules[module]?.revision === canary?.revision,
      ),
    );
    return { running: running.map(({ node }) => node), silent: [...names].filter(node => !answered.has(node)) };
  }

  async #readHeads(): Promise<void> {
    // Without NATS nothing is known of the nodes either.
    const heads = await this.#deps.heads().catch(() => []);
    this.observe(heads);
  }

  /** The nodes in a scope that are present when the canary opens. */
  #nodesIn(scope: CanaryScope): Map<string, NodeHealth> {
    const inside = this.#deps.membership.present().filter(({ node }) => inScope(scope, node));
    return new Map(
      inside.map(each => [each.node, { startedAt: each.startedAt, heardAt: heardAt(each), calls: 0, errors: 0 }]),
    );
  }

  #handle(kind: string, description: NodeDescription): void {
    for (const open of this.#open.values()) {
      const { canary, module } = open.head;
      if (canary === null || !inScope(canary.scope, description.node)) continue;
      const { node, startedAt, loopDelay, modules, refusals } = description;
      if (kind === 'goodbye') open.left.add(node);
      else open.left.delete(node);
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
    this.#deps.log.warn(
      { module, revision: shortRevision(canary.revision), reason, detail },
      'canary failed, rolling back',
    );
    open.rollback = this.#deps.rollBack(open.head, `automatic rollback: ${detail}`).catch((error: unknown) => {
      this.#deps.log.error({ err: error, module }, 'a canary could not be rolled back; trying again');
      open.rollback = null;
    });
  }
}

/** The time of a heartbeat; later by as much as the node's own interval is longer than the usual one. */
function heardAt({ heartbeatInterval = HEARTBEAT_INTERVAL }: NodeDescription): number {
  return performance.now() + heartbeatInterval - HEARTBEAT_INTERVAL;
}

/** The nodes that should run a canary: those in its scope, but for those that have stopped cleanly. */
function nodesOf({ head: { canary }, health, left }: OpenCanary, fleet: ReadonlySet<string>): string[] {
  const inside = [...fleet].filter(node => canary !== null && inScope(canary.scope, node));
  return [...new Set([...inside, ...health.nodes])].filter(node => !left.has(node));
}

/** The calls on the revisions of canaries, over all their nodes. */
function totalsOf(canaries: readonly OpenCanary[]): { readonly calls: number; readonly errors: number } {
  const totals = canaries.map(({ health }) => health.totals);
  const calls = totals.reduce((sum, each) => sum + each.calls, 0);
  const errors = totals.reduce((sum, each) => sum + each.errors, 0);
  return { calls, errors };
}
