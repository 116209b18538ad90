import { StringDecoder } from 'node:string_decoder';

import { END_OF_INPUT } from '../../api/host.ts';
import { INTERRUPTED, NO_RESULT } from '../exit-status.ts';
import type { Session } from './session.ts';

/** The prompt of a line that goes on. */
export const CONTINUED = '| ';

interface TranscriptOptions {
  readonly input: AsyncIterable<Uint8Array>;
  readonly print: (text: string) => void;
  /** Whether {@link END_OF_INPUT} ends the lines, and the end of the input ends what runs. */
  readonly isMarked: boolean;
}

/**
 * Runs the lines of a pipe, and prints a transcript: each line after its prompt, and what it gave. Stops at the first error.
 *
 * @returns the exit status.
 */
export async function runTranscript(session: Session, options: TranscriptOptions): Promise<number> {
  const { input, print, isMarked } = options;
  const cutOff = new AbortController();
  let before = '';
  const run = async (line: string): Promise<number | null> => {
    if (cutOff.signal.aborted) return INTERRUPTED;
    print(`${before === '' ? session.prompt : CONTINUED}${line}`);
    const { text, status, incomplete, quit } = await session.run(before + line, cutOff.signal);
    before = incomplete === true ? `${before}${line}\n` : '';
    if (text !== '') print(text);
    if (status !== 0) return cutOff.signal.aborted ? INTERRUPTED : status;
    return quit === true ? 0 : null;
  };
  const lines = readAhead(linesOf(input), () => isMarked && cutOff.abort());
  for await (const line of lines) {
    const isLast = isMarked && line.endsWith(END_OF_INPUT);
    const typed = isLast ? line.slice(0, -END_OF_INPUT.length) : line;
    const status = isLast && typed === '' ? null : await run(typed);
    if (status !== null) return status;
    if (isLast) return before === '' ? 0 : unfinished(print);
  }
  if (isMarked) return INTERRUPTED;
  return before === '' ? 0 : unfinished(print);
}

function unfinished(print: (text: string) => void): number {
  print('** the line ends too soon');
  return NO_RESULT;
}

/** Yields lines, and reads the next ones meanwhile. @param onEnd called when the input ends. */
async function* readAhead(lines: AsyncIterable<string>, onEnd: () => void): AsyncGenerator<string, void, undefined> {
  const queue: string[] = [];
  let hasEnded = false;
  let wake = (): void => undefined;
  void (async () => {
    try {
      for await (const line of lines) {
        queue.push(line);
        wake();
      }
    } finally {
      hasEnded = true;
      onEnd();
      wake();
    }
  })().catch(() => undefined);
  for (;;) {
    const line = queue.shift();
    if (line !== undefined) yield line;
    else if (hasEnded) return;
    else await new Promise<void>(resolve => (wake = resolve));
  }
}

/** The lines of an input, the last one also when nothing ends it. */
async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of input) {
    const lines = (rest + decoder.write(Buffer.from(chunk))).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.map(line => line.replace(/\r$/, ''));
  }
  if (rest !== '') yield rest;
}
