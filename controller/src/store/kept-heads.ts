import { type Head, isAutomaticRollback } from '../../../protocol/head.ts';
import { HISTORY_LENGTH } from '../../../protocol/limits.ts';

/**
 * The heads that a history keeps: the newest ones, and of the newest different revisions, also when many heads named the same
 * one since, what the rule of the previous revision reads:
 *
 * - the last two heads of each revision. From a head that names its revision again, a rollback goes to the one before it;
 * - the automatic rollback of the last one.
 *
 * @param history oldest first.
 */
export function keptHeads(history: readonly Head[]): Head[] {
  const newestFirst = history.toReversed();
  const byRevision = new Map<string | null, Head[]>();
  for (const head of newestFirst) byRevision.set(head.revision, [...(byRevision.get(head.revision) ?? []), head]);
  const revisions = [...byRevision.keys()].filter(revision => revision !== null).slice(0, HISTORY_LENGTH);
  // Heads that remove the module do not count as a revision.
  const naming = [null, ...revisions].map(revision => byRevision.get(revision) ?? []);
  const lastPushes = new Set(naming.map(([last]) => last?.push));
  const kept = new Set([
    ...newestFirst.slice(0, HISTORY_LENGTH),
    ...naming.flatMap(heads => heads.slice(0, 2)),
    ...history.filter(head => isAutomaticRollback(head) && lastPushes.has(head.revertOf ?? undefined)),
  ]);
  return history.filter(head => kept.has(head));
}
