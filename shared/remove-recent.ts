/**
 * Removes an element from a list in which the recent ones, at its end, leave first. The order of the others stays. For what comes
 * and goes with each request this is better than a `Set`: that makes a new table every few additions, and a dead one keeps the
 * next one alive until a full collection, with all that was in it.
 */
export function removeRecent<T>(list: T[], element: T): void {
  const index = list.lastIndexOf(element);
  if (index === -1) return;
  list.copyWithin(index, index + 1);
  list.pop();
}
