import * as v from 'valibot';

import { inScope } from '../../../protocol/canary-scope.ts';
import type { Head } from '../../../protocol/head.ts';
import { loadAnswer, malformedAnswer } from '../../../protocol/messages.ts';
import type { NodeOutcome, Refusal } from '../api/results.ts';
import type { Timed } from '../fleet/scatter-gather.ts';

/** How a node answers a load or a commit. */
export const loadReply = v.variant('status', [loadAnswer, malformedAnswer]);
export type LoadReply = v.InferOutput<typeof loadReply>;

export type LoadReplies = ReadonlyMap<string, Timed<LoadReply>>;

/** What each node answered to a load or a commit; a node that is expected and did not answer is silent. */
export function nodeOutcomes(replies: LoadReplies, expected: ReadonlySet<string>): NodeOutcome[] {
  const answered = [...replies.values()].map(({ answer, ms }): NodeOutcome => {
    switch (answer.status) {
      case 'loaded':
        return { node: answer.node, status: 'loaded', ms };
      case 'refused':
        return answer;
      case 'malformed':
        return malformedRefusal(answer);
      default: {
        const check: never = answer;
        return check;
      }
    }
  });
  const silent = [...expected].filter(node => !replies.has(node));
  return [...answered, ...silent.map(node => ({ node, status: 'silent' as const }))];
}

/** The refusal of a node that could not read a request. */
export function malformedRefusal({ node, detail }: { readonly node: string; readonly detail: string }): Refusal {
  return { node, status: 'refused', reason: 'malformed', detail };
}

/** Whether a node could not do what a head asks. A node that has seen a newer head has not failed. */
export function isFailure(outcome: NodeOutcome): boolean {
  return outcome.status === 'refused' && outcome.reason !== 'outdated';
}

/** A node outside the scopes of all canaries has kept what it had. */
export function keptOutside(outcome: NodeOutcome, heads: readonly Head[]): NodeOutcome {
  const isOutside = heads.every(({ canary }) => canary !== null && !inScope(canary.scope, outcome.node));
  return isOutside && outcome.status === 'loaded' ? { node: outcome.node, status: 'kept' } : outcome;
}

/** The time from the first node's switch to the last one's, milliseconds. */
export function skewOf(replies: LoadReplies): number {
  const switchedAt = [...replies.values()].flatMap(({ answer }) => (answer.status === 'loaded' ? [answer.at] : []));
  return switchedAt.length === 0 ? 0 : Math.max(...switchedAt) - Math.min(...switchedAt);
}
