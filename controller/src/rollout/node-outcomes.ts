import * as v from 'valibot';

import { inScope } from '../../../protocol/canary-scope.ts';
import { type Head, offeredRevision } from '../../../protocol/head.ts';
import { type KeptOff, keptOffBy } from '../../../protocol/kept-off.ts';
import { dryRunAnswer, loadAnswer, malformedAnswer, prepareAnswer } from '../../../protocol/messages.ts';
import type { NodeOutcome, Refusal } from '../api/results.ts';
import { type Asked, silentAmong } from '../fleet/ask-nodes.ts';
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
export function nodeOutcomes(replies: LoadReplies, asked: Asked): NodeOutcome[] {
  const answered = [...replies.values()].map(({ answer, ms }): NodeOutcome =>
    answer.status === 'loaded' ? { ...answer, ms } : answer,
  );
  return [...answered, ...silentAmong(asked, replies)];
}

/** Whether a node could not do what heads ask. A node that has seen a newer head, or that is kept off, has not failed. */
export function isFailure(outcome: NodeOutcome, heads: readonly Head[]): boolean {
  if (outcome.status !== 'refused' || outcome.reason === 'outdated') return false;
  return heads.some(head => keptOffIn(head, outcome.node) === undefined);
}

/**
 * What came of heads on a node. One that they ask for nothing new has kept what it had: outside the scopes of all canaries, or kept
 * off. One that they ask for no module has removed them.
 */
export function outcomeOf(outcome: NodeOutcome, heads: readonly Head[]): NodeOutcome {
  if (outcome.status !== 'loaded') return outcome;
  const { node } = outcome;
  const keptOff = heads.map(head => keptOffIn(head, node));
  const [first] = keptOff;
  if (first !== undefined && !keptOff.includes(undefined)) return { node, status: 'kept', detail: first.detail };
  const isOutside = heads.every(({ canary }) => canary !== null && !inScope(canary.scope, node));
  if (isOutside) return { node, status: 'kept' };
  return heads.every(head => offeredRevision(head, node) === null) ? { ...outcome, removed: true } : outcome;
}

function keptOffIn(head: Head, node: string): KeptOff | undefined {
  return keptOffBy(head.keptOff, node, offeredRevision(head, node));
}

/** The time from the first node's word that it has switched to the last one's, by the clock of this process, milliseconds. */
export function skewOf(replies: LoadReplies): number {
  const heardAt = [...replies.values()].flatMap(({ answer, ms }) => (answer.status === 'loaded' ? [ms] : []));
  return heardAt.length === 0 ? 0 : Math.max(...heardAt) - Math.min(...heardAt);
}
