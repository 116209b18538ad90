import { type Head, isAutomaticRollback, type Manifest } from '../../../protocol/head.ts';

/**
 * The revision to go back to from a head: that of the last head before it which stands. A revision stands when the last head
 * that names it was not rolled back by itself: because a node refused it, or the watchdog acted. What an operator rolled back
 * stands, so a second rollback undoes the first.
 *
 * A canary has not moved the other nodes: from it, one goes back to the head's own revision. Null: the module is removed.
 *
 * @param history the module's kept heads, oldest first.
 * @param leave revisions that are not gone back to, because they are what one wants to leave.
 */
export function previousRevision(
  head: Head,
  history: readonly Head[],
  leave: readonly (string | null)[] = [],
): string | null {
  if (head.canary !== null && !leave.includes(head.revision)) return head.revision;
  const reverted = new Set(history.filter(isAutomaticRollback).map(({ revertOf }) => revertOf));
  const lastNaming = new Map(history.map(each => [each.revision, each]));
  const stands = ({ revision }: Head): boolean => !reverted.has(lastNaming.get(revision)?.push ?? null);
  const earlier = history.filter(({ sequence }) => sequence < head.sequence);
  return earlier.findLast(each => !leave.includes(each.revision) && stands(each))?.revision ?? null;
}

/** The manifest of a revision, from the heads that name it; null when none does. */
export function manifestOf(revision: string | null, history: readonly Head[]): Manifest | null {
  if (revision === null) return null;
  for (const { revision: main, manifest, canary } of history.toReversed()) {
    if (main === revision && manifest !== null) return manifest;
    if (canary?.revision === revision && canary.manifest !== null) return canary.manifest;
  }
  return null;
}
