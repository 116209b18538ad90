import * as v from 'valibot';

import { HotcastError } from '../../../protocol/errors.ts';

/** One error of the compiler or the type checker. Lines and columns count from 1. */
export const diagnosticSchema = v.object({
  text: v.string(),
  file: v.nullable(v.string()),
  line: v.number(),
  column: v.number(),
  /** The line of source code. */
  source: v.string(),
  /** The number of characters that the error is about, from `column` on. */
  length: v.number(),
});

export type Diagnostic = Readonly<v.InferOutput<typeof diagnosticSchema>>;

/** Modules do not compile, or have type errors. `diagnostics` are for programs; the message shows file, line and caret. */
export class SourceError extends HotcastError {
  readonly code: 'compile' | 'types';
  readonly diagnostics: readonly Diagnostic[];

  constructor(code: SourceError['code'], summary: string, diagnostics: readonly Diagnostic[]) {
    super([summary, ...diagnostics.map(showDiagnostic)].join('\n'));
    this.code = code;
    this.diagnostics = diagnostics;
  }
}

/** An error that has no position. */
export function withoutPosition(text: string): Diagnostic {
  return { text, file: null, line: 0, column: 0, source: '', length: 0 };
}

/** Formats an error for people: its position, the line of source code, and carets below the characters. */
export function showDiagnostic({ text, file, line, column, source, length }: Diagnostic): string {
  if (file === null) return text;
  const gutter = `  ${line} | `;
  // Tabs are kept, so that the carets are below the right characters.
  const indent = source.slice(0, column - 1).replaceAll(/[^\t]/g, ' ');
  return `${file}:${line}:${column}: ${text}\n${gutter}${source}\n${' '.repeat(gutter.length)}${indent}${'^'.repeat(length)}`;
}
