import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';

/** The exit status of a process, as a shell says it. */
export function ended(child: ChildProcess): Promise<number> {
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', (code, signal) => done(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
