import { shortRevision } from '../../../protocol/revision.ts';

/** The text for a node that is silent. */
export const SILENT = 'should have answered and did not';

/** A module with its revision: `demo@3f2a9c81b0d4`. */
export function at(module: string, revision: string): string {
  return `${module}@${shortRevision(revision)}`;
}

/** A duration in milliseconds: `4.0 ms`, `251 ms`. */
export function ms(milliseconds: number): string {
  return `${milliseconds.toFixed(milliseconds < 100 ? 1 : 0)} ms`;
}

/** Aligns the columns of rows of text. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)));
  return rows
    .map(row =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
