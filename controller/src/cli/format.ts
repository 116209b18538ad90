import { stripVTControlCharacters } from 'node:util';

import type { DrainingVersion } from '../../../protocol/messages.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import { ageText } from '../../../shared/age.ts';
import { doubtful } from './style.ts';

/** How many names a line lists. */
const MAX_NAMES = 5;

/** The width of a terminal (characters) that lists of names are broken for. */
const WIDTH = 80;

/** More rows than this are half of a terminal that is 24 lines high. */
const MAX_TALL_ROWS = 12;

/** The text for a node that is silent. */
export const SILENT = 'should have answered and did not';

/** A module with its revision: `demo@3f2a9c81b0d4`. */
export function at(module: string, revision: string): string {
  return `${module}@${shortRevision(revision)}`;
}

/** A duration in milliseconds: `4.0 ms`, `251 ms`, `5.9 s`. */
export function ms(milliseconds: number): string {
  if (milliseconds >= 1_000) return `${(milliseconds / 1_000).toFixed(1)} s`;
  return `${milliseconds.toFixed(milliseconds < 100 ? 1 : 0)} ms`;
}

/** Aligns the columns of rows of text. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => widthOf(row[column] ?? ''))));
  return rows
    .map(row =>
      row
        .map((cell, column) => `${cell}${' '.repeat((widths[column] ?? widthOf(cell)) - widthOf(cell))}`)
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Aligns the columns of rows under a header. Many rows stand in two halves side by side, if they fit. */
export function tallTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const single = table([header, ...rows]);
  if (rows.length <= MAX_TALL_ROWS) return single;
  const half = Math.ceil(rows.length / 2);
  const pairs = rows.slice(0, half).map((row, index) => [...row, ...(rows[half + index] ?? [])]);
  const double = table([[...header, ...header], ...pairs]);
  return double.split('\n').every(line => widthOf(line) <= WIDTH) ? double : single;
}

/** Without colours. */
const widthOf = (cell: string): number => stripVTControlCharacters(cell).length;

/** The first of some names, and how many more there are: `a, b, c, d, e and 2 more`. */
export function listed(names: readonly string[]): string {
  const rest = names.length - MAX_NAMES;
  return rest <= 0 ? names.join(', ') : `${names.slice(0, MAX_NAMES).join(', ')} and ${rest} more`;
}

/** Breaks words into lines of at most 80 characters, indented by two. A longer word has a line of its own. */
export function wrapped(words: readonly string[]): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && widthOf(last) + 1 + widthOf(word) <= WIDTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`  ${word}`);
  }
  return lines;
}

/** The least and the most of some numbers: `45–61`, or one number if both are equal. */
export function range(numbers: readonly number[]): string {
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  return least === most ? String(least) : `${least}–${most}`;
}

/** `silent`, and why if that is known. */
export function silentText(detail: string | undefined): string {
  return doubtful(detail === undefined ? 'silent' : `silent: ${detail}`);
}

/** The errors of a revision since it was loaded; nothing for none. */
export function errorsText({ errors }: { readonly errors: number }): string[] {
  return errors === 0 ? [] : [errors === 1 ? '1 error' : `${errors} errors`];
}

/** `demo@3f2a9c81b0d4 drains since 2026-…Z (3 h 5 min), 2 in flight: GET /demo/events`. */
export function drainingText({ module, revision, since, ageMs, inFlight, heldBy }: DrainingVersion): string {
  const time = `${new Date(since).toISOString()} (${ageText(ageMs ?? Date.now() - since)})`;
  return `${at(module, revision)} drains since ${time}, ${inFlight} in flight: ${heldBy}`;
}
