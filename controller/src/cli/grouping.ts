import { listed } from './format.ts';

/** A list of more rows than this groups the rows that are equal. */
export const MAX_ROWS = 8;

/**
 * The rows of a list that say the same, the largest group first. Null if each row gets its own line: the list is short, no two rows
 * are equal, or the user asked for it.
 *
 * @param keyOf what has to be equal.
 */
export function groupsOf<T>(rows: readonly T[], keyOf: (row: T) => string, verbose: boolean): T[][] | null {
  if (verbose || rows.length <= MAX_ROWS) return null;
  const groups = groupedBy(rows, keyOf);
  if (groups.size === rows.length) return null;
  return [...groups.values()].toSorted((a, b) => b.length - a.length);
}

/** The nodes of a group: the number of them for the first, the largest group, and names for those that differ from it. */
export function nodesText(rows: readonly { readonly node: string }[], index: number): string {
  return index === 0 && rows.length > 1 ? `${rows.length} nodes` : listed(rows.map(({ node }) => node));
}

/** The rows by their key, in the order in which the keys come. (`Map.groupBy` needs Node.js 21.) */
export function groupedBy<T>(rows: readonly T[], keyOf: (row: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return groups;
}
