import { HotcastError } from '../../../protocol/errors.ts';
import { NO_RESULT } from '../../../controller/src/cli/exit-status.ts';
import { runContext as runContextOf } from './remote/run-context.ts';
import { type RemoteOptions, runRemote as runRemoteOf } from './remote/run-remote.ts';

// This file is a bundle of its own, so the one that calls it has another class of errors.

/** See {@link runContextOf}. Returns the exit status. */
export function runContext(folder: string, args: readonly string[]): Promise<number> {
  return statusOf(async () => {
    process.stdout.write(`${runContextOf(folder, args)}\n`);
    return 0;
  });
}

/** See {@link runRemoteOf}. Returns the exit status. */
export function runRemote(options: RemoteOptions): Promise<number> {
  return statusOf(() => runRemoteOf(options));
}

async function statusOf(run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof HotcastError)) throw error;
    process.stderr.write(`hotcast: ${error.message}\n`);
    return NO_RESULT;
  }
}
