/** One complaint of the compiler or the type checker; lines and columns count from 1. */
export interface Diagnostic {
  readonly text: string;
  readonly file: string | null;
  readonly line: number;
  readonly column: number;
  /** The line of source that it is about. */
  readonly source: string;
  /** How many characters of it. */
  readonly length: number;
}

/** A complaint as people read it: where, the line of source, and a caret below what it is about. */
export function showDiagnostic({ text, file, line, column, source, length }: Diagnostic): string {
  if (file === null) return text;
  const gutter = `  ${line} | `;
  // Tabs stay tabs, so that the caret stands below what it points at.
  const indent = source.slice(0, column - 1).replaceAll(/[^\t]/g, ' ');
  return `${file}:${line}:${column}: ${text}\n${gutter}${source}\n${' '.repeat(gutter.length)}${indent}${'^'.repeat(length)}`;
}
