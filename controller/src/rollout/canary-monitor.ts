import { type Head } from '../../../protocol/head.ts';
import { HEARTBEAT_INTERVAL } from '../../../protocol/limits.ts';
import type { NodeDescription } from '../../../protocol/messages.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import { inScope, type CanaryScope } from '../../../protocol/canary-scope.ts';
import type { Membership } from '../fleet/membership.ts';
import type { OnReport } from '../api/command.ts';
import { CanaryHealth, type CanaryEvent, type NodeHealth } from './canary-health.ts';
import type { Logger } from '../../../shared/logger.ts';

/** How a canary did. `detail`: one line with figures. */
export interface CanaryVerdict {
  readonly healthy: boolean;
  readonly detail: string;
}

interface Trial {
  readonly head: Head;
  readonly health: CanaryHealth;
  /** Set when the trial has failed: settles when the way back is committed. */
  ending: Promise<void> | null;
}

/** Time passes for rollouts in steps of this (milliseconds). */
const TICK = 500;

/**
 * Watches every canary that is open in the heads, for as long as it is, and sends its nodes back when it fails. What it
 * knows follows from heads and presence alone, so a controller that starts takes over where the last one stopped.
 */
export class CanaryMonitor {
  readonly #trials = new Map<string, Trial>();
  readonly #fleet: Membership;
  readonly #rollBack: (head: Head, reason: string) => Promise<void>;
  readonly #log: Logger;

  constructor(fleet: Membership, rollBack: (head: Head, reason: string) => Promise<void>, log: Logger) {
    this.#fleet = fleet;
    this.#rollBack = rollBack;
    this.#log = log;
    fleet.onEvent((kind, description) => this.#hear(kind, description));
    setInterval(() => this.#tick(), TICK);
  }

  /** Takes note of the newest heads: a canary in them is watched, a trial whose head was replaced is over. */
  observe(heads: readonly Head[]): void {
    for (const head of heads) {
      const trial = this.#trials.get(head.module);
      if (trial !== undefined && trial.head.sequence >= head.sequence) continue;
      if (head.canary === null) this.#trials.delete(head.module);
      else {
        const { revision, scope, maxErrors } = head.canary;
        const health = new CanaryHealth(revision, maxErrors, this.#watchedIn(scope));
        this.#trials.set(head.module, { head, health, ending: null });
      }
    }
  }

  /** Whether any canary is on trial. */
  get isTrialOpen(): boolean {
    return this.#trials.size > 0;
  }

  /** Looks on until a canary in these heads fails, or the time (milliseconds) is over. */
  async follow(heads: readonly Head[], time: number, say: OnReport): Promise<CanaryVerdict> {
    this.observe(heads);
    const trials = heads.flatMap(({ module }) => this.#trials.get(module) ?? []);
    const startedAt = performance.now();
    for (;;) {
      const elapsed = performance.now() - startedAt;
      for (const trial of trials) {
        const { health, head, ending } = trial;
        if (health.failure !== null) {
          await ending;
          return { healthy: false, detail: `${head.module}: ${health.failure.detail}` };
        }
        if (this.#trials.get(head.module) !== trial) return { healthy: false, detail: 'another head took its place' };
      }
      if (elapsed >= time) {
        return { healthy: true, detail: `${figures(trials)} in ${Math.round(elapsed / 1_000)} s` };
      }
      say({
        type: 'progress',
        phase: 'watching, seconds',
        answered: Math.round(elapsed / 1_000),
        expected: time / 1_000,
      });
      await new Promise(resolve => setTimeout(resolve, Math.min(TICK, time - elapsed)));
    }
  }

  /** The nodes that are there now, as they begin a trial. */
  #watchedIn(scope: CanaryScope): Map<string, NodeHealth> {
    const inside = this.#fleet.present().filter(({ node }) => inScope(scope, node));
    return new Map(
      inside.map(each => [each.node, { startedAt: each.startedAt, heardAt: heardAt(each), calls: 0, errors: 0 }]),
    );
  }

  #hear(kind: string, description: NodeDescription): void {
    for (const trial of this.#trials.values()) {
      const { canary, module } = trial.head;
      if (canary === null || !inScope(canary.scope, description.node)) continue;
      const { node, startedAt, loopDelay, modules, refusals } = description;
      const running = modules[module];
      const refusal = refusals[module];
      const isBanned = refusal?.reason === 'banned' && refusal.sequence === trial.head.sequence;
      this.#advance(
        trial,
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
    for (const trial of this.#trials.values()) this.#advance(trial, { type: 'tick', at: performance.now() });
  }

  #advance(trial: Trial, event: CanaryEvent): void {
    trial.health.take(event);
    const { failure } = trial.health;
    const { module, canary } = trial.head;
    if (failure === null || canary === null || trial.ending !== null) return;
    const { reason, detail } = failure;
    this.#log.warn({ module, revision: shortRevision(canary.revision), reason, detail }, 'canary failed, rolling back');
    trial.ending = this.#rollBack(trial.head, detail).catch((error: unknown) => {
      this.#log.error({ err: error, module }, 'a canary could not be rolled back; trying again');
      trial.ending = null;
    });
  }
}

/** Now, or later by as much as the node may be silent longer than 2 seconds: it was asked to when no canary was there. */
function heardAt({ heartbeatInterval = HEARTBEAT_INTERVAL }: NodeDescription): number {
  return performance.now() + heartbeatInterval - HEARTBEAT_INTERVAL;
}

function figures(trials: readonly Trial[]): string {
  const sums = trials.map(({ health }) => health.totals);
  const calls = sums.reduce((sum, each) => sum + each.calls, 0);
  const errors = sums.reduce((sum, each) => sum + each.errors, 0);
  return `${errors} of ${calls} calls failed`;
}
