import { PRESENCE_LIFETIME } from '../../protocol/limits.ts';

/** A canary's node whose event loop was later than this has stalled (milliseconds). */
export const STALL = 2_000;

/** What is known of one node that runs a canary's revision. Times in milliseconds since any fixed moment. */
export interface Watched {
  /** Its process's start: another one means that the process died. */
  readonly startedAt: number;
  readonly heardAt: number;
  readonly calls: number;
  readonly errors: number;
}

interface Trial {
  readonly module: string;
  readonly revision: string;
  /** More failed calls than this end the trial. */
  readonly maxErrors: number;
  readonly nodes: Readonly<Record<string, Watched>>;
}

/** A canary on trial. A rollout that has failed stays failed, whatever comes. */
export type Rollout =
  | (Trial & { readonly phase: 'watching' })
  | (Trial & {
      readonly phase: 'failed';
      readonly reason: 'errors' | 'stalled' | 'died' | 'silent';
      readonly detail: string;
    });

export type RolloutEvent =
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

/** @param nodes the nodes in the scope that are there: their silence or death counts before they told anything. */
export function startRollout(
  module: string,
  revision: string,
  maxErrors: number,
  nodes: Readonly<Record<string, Watched>> = {},
): Rollout {
  return { phase: 'watching', module, revision, maxErrors, nodes };
}

/** What a rollout becomes by an event. Pure. */
export function advance(rollout: Rollout, event: RolloutEvent): Rollout {
  if (rollout.phase === 'failed') return rollout;
  switch (event.type) {
    case 'heard':
      return heard(rollout, event);
    case 'left': {
      const { [event.node]: _left, ...nodes } = rollout.nodes;
      return { ...rollout, nodes };
    }
    case 'tick': {
      const silent = Object.entries(rollout.nodes).find(([, { heardAt }]) => event.at - heardAt > PRESENCE_LIFETIME);
      if (silent === undefined) return rollout;
      return { ...rollout, phase: 'failed', reason: 'silent', detail: `${silent[0]} was not heard any more` };
    }
    default: {
      const check: never = event;
      return check;
    }
  }
}

/** Calls and failed calls on the canary's revision, over all its nodes. */
export function totals({ nodes }: Rollout): { calls: number; errors: number } {
  return Object.values(nodes).reduce(
    (sum, { calls, errors }) => ({ calls: sum.calls + calls, errors: sum.errors + errors }),
    { calls: 0, errors: 0 },
  );
}

function heard(rollout: Rollout & { phase: 'watching' }, event: RolloutEvent & { type: 'heard' }): Rollout {
  const { node, startedAt, at, calls, errors, loopDelay } = event;
  const before = rollout.nodes[node];
  const failed = { ...rollout, phase: 'failed' } as const;
  if (event.banned !== null) return { ...failed, reason: 'stalled', detail: `stalled on ${node}: ${event.banned}` };
  if (before !== undefined && before.startedAt !== startedAt) {
    return { ...failed, reason: 'died', detail: `${node} died and was started again` };
  }
  if (event.revision !== rollout.revision) {
    if (before === undefined) return rollout;
    return { ...rollout, nodes: { ...rollout.nodes, [node]: { ...before, heardAt: at } } };
  }
  const nodes = { ...rollout.nodes, [node]: { startedAt, heardAt: at, calls, errors } };
  if (before !== undefined && loopDelay > STALL) {
    return { ...failed, nodes, reason: 'stalled', detail: `${node} stalled for ${loopDelay} ms` };
  }
  const sum = totals({ ...rollout, nodes });
  if (sum.errors > rollout.maxErrors) {
    return { ...failed, nodes, reason: 'errors', detail: `${sum.errors} of ${sum.calls} calls failed` };
  }
  return { ...rollout, nodes };
}
