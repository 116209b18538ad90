import type { Location } from 'esbuild';

/** The position of characters in a text, as esbuild has it: columns and lengths in bytes of UTF-8. */
export function positionOf(file: string, text: string, index: number, length: number): Location {
  const start = text.lastIndexOf('\n', index - 1) + 1;
  const lineText = /.*/.exec(text.slice(start))?.[0] ?? '';
  return {
    file,
    namespace: '',
    suggestion: '',
    lineText,
    line: text.slice(0, start).split('\n').length,
    column: Buffer.byteLength(text.slice(start, index)),
    length: Buffer.byteLength(text.slice(index, index + length).split('\n', 1)[0] ?? ''),
  };
}
