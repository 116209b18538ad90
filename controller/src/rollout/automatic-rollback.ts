import { desiredRevision, type Head } from '../../../protocol/head.ts';
import type { NodeDescription } from '../../../protocol/messages.ts';
import { compareNodes } from '../../../protocol/names.ts';
import type { HeadResult } from '../../../protocol/head-result.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import type { HeadParts } from '../commands/rollback.ts';
import { commitHeads } from './commit.ts';
import type { Logger } from '../../../shared/logger.ts';

/** A head whose revision has brought nodes down. */
export interface Stalled {
  readonly head: Head;
  readonly nodes: readonly string[];
  /** What it did on the first of them. */
  readonly detail: string;
}

/**
 * The newest heads that a node refuses because their revision brought it down. A head without an outcome is left to
 * whoever is at work on it, and a canary to its watch.
 */
export function stalledHeads(
  heads: readonly Head[],
  headResults: readonly HeadResult[],
  present: readonly NodeDescription[],
): Stalled[] {
  const finished = new Map(headResults.map(({ module, sequence }) => [module, sequence]));
  return heads.flatMap(head => {
    if (finished.get(head.module) !== head.sequence) return [];
    const told = present
      .flatMap(({ node, refusals: { [head.module]: refusal } }) =>
        refusal?.reason === 'banned' && refusal.sequence === head.sequence ? [{ node, detail: refusal.detail }] : [],
      )
      .filter(({ node }) => desiredRevision(head, node) === head.revision)
      // Last: of thousands that are present, hardly any is left.
      .toSorted((a, b) => compareNodes(a.node, b.node));
    const [first] = told;
    return first === undefined ? [] : [{ head, nodes: told.map(({ node }) => node), detail: first.detail }];
  });
}

/**
 * The newest revision before a head that is another one, and that no controller has gone back from since it was given
 * out last; null, when there is none, takes the module off.
 *
 * @param kept the module's heads, oldest first.
 */
export function revisionBefore(head: Head, kept: readonly Head[]): string | null {
  const isReverted = ({ push }: Head): boolean => kept.some(({ revertOf }) => revertOf === push);
  const last = new Map(kept.map(each => [each.revision, each]));
  const stands = kept.findLast(
    each =>
      each.sequence < head.sequence && each.revision !== head.revision && !isReverted(last.get(each.revision) ?? each),
  );
  return stands?.revision ?? null;
}

/** Sends modules back from revisions that brought a node down, unless another head has taken their place. */
export async function goBack(
  parts: HeadParts,
  stalled: readonly Stalled[],
  timeoutMs: number,
  log: Logger,
): Promise<void> {
  for (const push of new Set(stalled.map(({ head }) => head.push))) {
    const together = stalled.filter(({ head }) => head.push === push);
    const changes = await Promise.all(
      together.map(async ({ head }) => {
        const [kept, last] = await Promise.all([parts.store.history(head.module), parts.store.lastHead(head.module)]);
        return { module: head.module, revision: revisionBefore(head, kept), canary: null, last, force: true, head };
      }),
    );
    if (changes.some(({ head, last }) => last.head?.sequence !== head.sequence)) continue;
    const where = [...new Set(together.flatMap(({ nodes }) => nodes))].join(', ');
    const from = together.map(({ head }) => shortRevision(head.revision ?? '')).join(', ');
    const note = `stalled on ${where}: rolled back from ${from}`;
    for (const { module, revision, head } of changes) {
      const to = revision === null ? null : shortRevision(revision);
      const detail = together.find(each => each.head === head)?.detail;
      log.warn({ module, revision: shortRevision(head.revision ?? ''), to, detail }, note);
    }
    const expected = new Set((await parts.fleet.expected()).members.map(({ node }) => node));
    await commitHeads(parts, changes, { author: 'hotcast', note, revertOf: push }, { expected, timeoutMs });
  }
}
