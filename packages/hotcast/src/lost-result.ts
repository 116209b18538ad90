import { setTimeout as sleep } from 'node:timers/promises';

import { UnavailableError } from '../../../protocol/errors.ts';
import { UNKNOWN } from '../../../controller/src/cli/exit-status.ts';
import type { Engine } from './engine.ts';

/** The exit status of `docker exec` when the container ended before the process in it had started. The engine said so on standard output. */
const NOT_BEGUN = 126;
/** The exit status of a process that was killed with its container. */
const KILLED = 137;

/** The commands whose results are kept. */
const CHANGES: ReadonlySet<string> = new Set(['push', 'promote', 'rollback', 'remove', 'repair', 'bans']);

/** How long the result of a change is looked up, and how often (milliseconds). */
const LOOKUP_TIMEOUT_MS = 30_000;
const LOOKUP_INTERVAL_MS = 1_000;

/** The exit status of a command that ended with `status`: when its controller has ended, that of the result that is looked up. */
export async function resolveLost(
  status: number,
  { command, change, project, engine }: { command: string; change: string; project: string; engine: Engine },
): Promise<number> {
  if (status === NOT_BEGUN) {
    throw new UnavailableError('the controller ended before the command began; run the command again');
  }
  if (status !== KILLED) return status;
  if (!CHANGES.has(command)) {
    throw new UnavailableError('the controller ended before the result; run the command again');
  }
  say(`the controller ended before the result; looking up what came of it (change ${change})`);
  let answer = '';
  for (const deadline = performance.now() + LOOKUP_TIMEOUT_MS; performance.now() < deadline;) {
    const controller = await engine.controllerOf(project).catch(() => null);
    const found = controller && (await engine.execOutput([controller.id, 'hotcast', 'result', change]));
    // A status above 5 is the engine's own, for a container that has just ended, and so is its answer.
    if (found && found.stdout !== '' && found.status < UNKNOWN) {
      process.stdout.write(found.stdout);
      return found.status;
    }
    // The nodes have not all answered yet.
    if (found?.status === UNKNOWN) answer = found.stdout;
    await sleep(LOOKUP_INTERVAL_MS);
  }
  if (answer === '') say(`what came of it is not known; see later: hotcast result ${change}`);
  process.stdout.write(answer);
  return UNKNOWN;
}

function say(message: string): void {
  process.stderr.write(`hotcast: ${message}\n`);
}
