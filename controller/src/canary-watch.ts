import { type Head } from '../../protocol/head.ts';
import { PRESENCE_INTERVAL } from '../../protocol/limits.ts';
import type { NodeDescription } from '../../protocol/messages.ts';
import { shortRevision } from '../../protocol/revision.ts';
import { inScope, type Scope } from '../../protocol/scope.ts';
import type { Fleet } from './fleet.ts';
import type { Logger } from './logger.ts';
import type { Say } from './command.ts';
import { Rollout, type RolloutEvent, type Watched } from './rollout.ts';

/** How a canary did. `detail`: one line with figures. */
export interface CanaryVerdict {
  readonly healthy: boolean;
  readonly detail: string;
}

interface Trial {
  readonly head: Head;
  readonly rollout: Rollout;
  /** Set when the trial has failed: settles when the way back is committed. */
  ending: Promise<void> | null;
}

/** Time passes for rollouts in steps of this (milliseconds). */
const TICK = 500;

/**
 * Watches every canary that is open in the heads, for as long as it is, and sends its nodes back when it fails. What it
 * knows follows from heads and presence alone, so a controller that starts takes over where the last one stopped.
 */
export class CanaryWatch {
  readonly #trials = new Map<string, Trial>();
  readonly #fleet: Fleet;
  readonly #rollBack: (head: Head, reason: string) => Promise<void>;
  readonly #log: Logger;

  constructor(fleet: Fleet, rollBack: (head: Head, reason: string) => Promise<void>, log: Logger) {
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
        const rollout = new Rollout(revision, maxErrors, this.#watchedIn(scope));
        this.#trials.set(head.module, { head, rollout, ending: null });
      }
    }
  }

  /** Whether any canary is on trial. */
  get isTrialOpen(): boolean {
    return this.#trials.size > 0;
  }

  /** Looks on until a canary in these heads fails, or the time (milliseconds) is over. */
  async follow(heads: readonly Head[], time: number, say: Say): Promise<CanaryVerdict> {
    this.observe(heads);
    const trials = heads.flatMap(({ module }) => this.#trials.get(module) ?? []);
    const startedAt = performance.now();
    for (;;) {
      const elapsed = performance.now() - startedAt;
      for (const trial of trials) {
        const { rollout, head, ending } = trial;
        if (rollout.failure !== null) {
          await ending;
          return { healthy: false, detail: `${head.module}: ${rollout.failure.detail}` };
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
  #watchedIn(scope: Scope): Map<string, Watched> {
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

  #advance(trial: Trial, event: RolloutEvent): void {
    trial.rollout.take(event);
    const { failure } = trial.rollout;
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
function heardAt({ presenceEvery = PRESENCE_INTERVAL }: NodeDescription): number {
  return performance.now() + presenceEvery - PRESENCE_INTERVAL;
}

function figures(trials: readonly Trial[]): string {
  const sums = trials.map(({ rollout }) => rollout.totals);
  const calls = sums.reduce((sum, each) => sum + each.calls, 0);
  const errors = sums.reduce((sum, each) => sum + each.errors, 0);
  return `${errors} of ${calls} calls failed`;
}
