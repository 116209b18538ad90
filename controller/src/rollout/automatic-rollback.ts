import { desiredRevision, type Head } from '../../../protocol/head.ts';
import type { HeadResult } from '../../../protocol/head-result.ts';
import type { NodeDescription } from '../../../protocol/messages.ts';
import { compareNodes } from '../../../protocol/names.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import type { Logger } from '../../../shared/logger.ts';
import { awaitCommit } from './commit.ts';
import type { Audience, RolloutContext } from './context.ts';
import { CONTROLLER, rollBack, type Rollback } from './roll-back.ts';

/** A head whose revision was ended by the watchdogs of nodes. */
export interface Stalled {
  readonly head: Head;
  readonly nodes: readonly string[];
  /** What the revision did on the first of them. */
  readonly detail: string;
}

/**
 * The newest heads that nodes refuse because their watchdogs ended the revision. A head without a result is left to the
 * controller that works on it, and a canary to its monitor.
 */
export function stalledHeads(
  heads: readonly Head[],
  results: readonly HeadResult[],
  present: readonly NodeDescription[],
): Stalled[] {
  const finished = new Map(results.map(({ module, sequence }) => [module, sequence]));
  return heads.flatMap(head => {
    if (finished.get(head.module) !== head.sequence) return [];
    const refusing = present
      .flatMap(({ node, refusals: { [head.module]: refusal } }) =>
        refusal?.reason === 'banned' && refusal.sequence === head.sequence ? [{ node, detail: refusal.detail }] : [],
      )
      .filter(({ node }) => desiredRevision(head, node) === head.revision)
      // Last: of thousands that are present, hardly any is left.
      .toSorted((a, b) => compareNodes(a.node, b.node));
    const [first] = refusing;
    return first === undefined ? [] : [{ head, nodes: refusing.map(({ node }) => node), detail: first.detail }];
  });
}

/** Rolls back the pushes whose revisions were ended by the watchdogs of nodes. */
export async function rollBackStalled(
  context: RolloutContext,
  stalled: readonly Stalled[],
  audience: () => Promise<Audience>,
  log: Logger,
): Promise<void> {
  for (const push of new Set(stalled.map(({ head }) => head.push))) {
    const together = stalled.filter(({ head }) => head.push === push);
    const heads = together.map(({ head }) => head);
    const where = [...new Set(together.flatMap(({ nodes }) => nodes))].join(', ');
    const note = `stalled on ${where}: rolled back from ${heads.map(({ revision }) => shortRevision(revision ?? '')).join(', ')}`;
    for (const { head, detail } of together) {
      log.warn({ module: head.module, revision: shortRevision(head.revision ?? ''), detail }, note);
    }
    await rollBackAndAwait(context, { cause: 'watchdog', heads, note }, audience);
  }
}

/** Rolls back by itself, and waits until the nodes have followed. Does nothing when all heads were replaced meanwhile. */
export async function rollBackAndAwait(
  context: RolloutContext,
  rollback: Exclude<Rollback, { cause: 'operator' }>,
  audience: () => Promise<Audience>,
): Promise<void> {
  const back = await rollBack(context.store, rollback);
  if (back.status !== 'written') return;
  const { outcome } = await awaitCommit(context, back.heads, await audience());
  await context.audit.write({
    at: Date.now(),
    change: back.heads[0]?.push ?? null,
    author: CONTROLLER,
    command: `rollback (${rollback.cause})`,
    modules: back.heads.map(({ module, revision }) => ({ module, revision })),
    outcome,
    detail: rollback.note,
  });
}
