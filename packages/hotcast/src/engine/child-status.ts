import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';

import { UnavailableError } from '../../../../protocol/errors.ts';

/** There is no `docker` command. */
export const noDocker = (cause: Error): UnavailableError =>
  new UnavailableError('there is no docker command in PATH: install Docker', { cause });

/** The exit status of a process of `docker`, as a shell says it. @throws UnavailableError without a `docker` command. */
export function ended(child: ChildProcess): Promise<number> {
  return new Promise((done, fail) => {
    child.once('error', (error: NodeJS.ErrnoException) => fail(error.code === 'ENOENT' ? noDocker(error) : error));
    child.once('close', (code, signal) => done(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
