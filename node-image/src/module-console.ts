import { AsyncLocalStorage } from 'node:async_hooks';
import { Console } from 'node:console';
import { Writable } from 'node:stream';

import { shortRevision } from '../../protocol/revision.ts';
import type { Logger } from './logger.ts';

/** A call shows at most this many printed lines with its answer; the log has all of them. */
const MAX_OUTPUT_LINES = 200;

const calls = new AsyncLocalStorage<string[]>();

/** Runs `body` and collects what modules print in it, across every await, onto `output`. */
export function collectingOutput<T>(output: string[], body: () => T): T {
  return calls.run(output, body);
}

/** The `console` of one version: each line goes to the node's log with module and revision, and to the call. */
export function moduleConsole(log: Logger, module: string, revision: string): Console {
  const fields = { module, revision: shortRevision(revision) };
  return new Console({
    stdout: lines(line => log.info(fields, line)),
    stderr: lines(line => log.warn(fields, line)),
  });
}

function lines(write: (line: string) => void): Writable {
  return new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      for (const line of text.replace(/\n$/, '').split('\n')) {
        write(line);
        const output = calls.getStore();
        if (output !== undefined && output.length < MAX_OUTPUT_LINES) output.push(line);
      }
      done();
    },
  });
}
