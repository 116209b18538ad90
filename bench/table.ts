/** A title, and what is below it. */
export function section(title: string, lines: readonly string[]): string {
  return [title, ...lines].join('\n');
}

/** A line that says whether a target was reached. */
export function goal(reached: boolean, text: string): string {
  return `  ${reached ? '✓' : '✗'} ${text}`;
}

/** Columns of text, the first to the left and the others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  return rows.map(row => `  ${line(row)}`).join('\n');
}

/** `12,345` */
export function count(value: number): string {
  return value.toLocaleString('en');
}

/** Three digits are enough for what is measured: `0.12`, `1.23`, `12.3`, `123`, `1,234`; `-` of what is not known. */
export function digits(value: number | null): string {
  if (value === null || Number.isNaN(value)) return '-';
  const places = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { minimumFractionDigits: places, maximumFractionDigits: places });
}
