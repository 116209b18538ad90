import * as v from 'valibot';

import { inScope } from '../../../protocol/canary-scope.ts';
import type { Head } from '../../../protocol/head.ts';
import {
  dryRunAnswer,
  loadAnswer,
  type LoadAnswer,
  malformedAnswer,
  prepareAnswer,
} from '../../../protocol/messages.ts';
import type { NodeOutcome, Refusal } from '../api/results.ts';
import { silentAmong } from '../fleet/ask-nodes.ts';
import type { Answers } from '../fleet/scatter-gather.ts';

/** A node that could not read a request has refused it. */
const malformedRefusal = v.pipe(
  malformedAnswer,
  v.transform(({ node, detail }): Refusal => ({ node, status: 'refused', reason: 'malformed', detail })),
);

/** How a node answers a bundle. */
export const prepareReply = v.variant('status', [prepareAnswer, malformedRefusal]);

/** How a node answers a load or a commit. */
export const loadReply = v.variant('status', [loadAnswer, malformedRefusal]);

/** How a node answers a dry run. */
export const dryRunReply = v.variant('status', [dryRunAnswer, malformedRefusal]);

export type LoadReplies = Answers<typeof loadReply>;

/** What each node answered to a load or a commit; a node that is expected and did not answer is silent. */
export function nodeOutcomes(replies: LoadReplies, expected: ReadonlySet<string>): NodeOutcome[] {
  const answered = [...replies.values()].map(({ answer, ms }): NodeOutcome =>
    answer.status === 'loaded' ? loadedOutcome(answer, ms) : answer,
  );
  return [...answered, ...silentAmong(expected, replies)];
}

function loadedOutcome({ at: _at, ...loaded }: LoadAnswer & { status: 'loaded' }, ms: number): NodeOutcome {
  return { ...loaded, ms };
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
