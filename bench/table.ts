import { markdownTable } from 'markdown-table';

type Cell = string | number | undefined;

/**
 * A Markdown table: the first column to the left, the others to the right. Numbers get three significant digits.
 *
 * @param head the heads of the columns, with `|` between them.
 * @param rows their cells, some of them in groups.
 */
export function table(head: string, rows: readonly (readonly (Cell | readonly Cell[])[])[]): string {
  const cells = rows.map(row => row.flat().map(cell => (typeof cell === 'string' ? cell : digits(cell))));
  const heads = head.split('|').map(each => each.trim());
  return markdownTable([heads, ...cells], { align: heads.map((_, index) => (index === 0 ? 'l' : 'r')) });
}

/** A title, and what is below it. */
export function section(title: string, ...parts: readonly string[]): string {
  return [`## ${title}`, ...parts.filter(part => part !== '')].join('\n\n');
}

/** A list of targets: reached (✓) or missed (✗). */
export function goals(...targets: readonly (readonly [reached: boolean, text: string])[]): string {
  return targets.map(([reached, text]) => `- ${reached ? '✓' : '✗'} ${text}`).join('\n');
}

/** `12,345` */
export function count(value: number): string {
  return value.toLocaleString('en');
}

/** Three significant digits: `0.12`, `1.23`, `12.3`, `123`, `1,234`; `-` for an unknown value. */
export function digits(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '-';
  const places = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { minimumFractionDigits: places, maximumFractionDigits: places });
}

/** `10 KB` */
export function kilobytes(bytes: number): string {
  return `${bytes / 1_024} KB`;
}
