import type { Message } from 'esbuild';

import { type Diagnostic, SourceError, withoutPosition } from '../../api/diagnostic.ts';

/** What esbuild says, and what to do about it in a module. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [
    /^Top-level await is .*/,
    'Top-level await is not supported, because the modules of a push load together, in one turn of the event loop: ' +
      'put it into an async function, and keep the promise of its result',
  ],
  [
    /^(No loader is configured for "[^"]*" files: .*)/,
    `$1 (import it with { type: 'text' }, { type: 'bytes' } or { type: 'json' })`,
  ],
  // A package, and no path or name of its own (`#a`).
  [
    /^Could not resolve "(?<name>(?:@[\w.-]+\/)?[a-z][\w.-]*)(?:\/[^"]*)?"$/,
    '$&: is $<name> installed (npm install $<name>)?',
  ],
];

/** The error of a build that esbuild rejected; the reason itself when it is none. */
export function failureOf(module: string, reason: unknown): unknown {
  if (!isBuildFailure(reason)) return reason;
  return new SourceError('compile', `${module} does not compile; nothing was sent`, reason.errors.map(diagnosticOf));
}

export function isBuildFailure(error: unknown): error is { errors: Message[] } {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors);
}

/** A message of esbuild, as the controller reports it. */
export function diagnosticOf({ text: written, location }: Pick<Message, 'text' | 'location'>): Diagnostic {
  const text = REMEDIES.reduce((result, [pattern, remedy]) => result.replace(pattern, remedy), written);
  if (location === null) return withoutPosition(text);
  const { file, line, column, lineText, length } = location;
  // esbuild counts bytes of UTF-8, also past the end of the line.
  const bytes = Buffer.from(lineText);
  const before = bytes.subarray(0, column).toString();
  const about = bytes.subarray(column, column + length).toString();
  return { text, file, line, column: before.length + 1, source: lineText, length: Math.max(1, about.length) };
}
