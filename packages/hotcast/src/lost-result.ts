import { setTimeout as sleep } from 'node:timers/promises';

import { UnavailableError } from '../../../protocol/errors.ts';
import { UNKNOWN } from '../../../controller/src/cli/exit-status.ts';
import type { Engine } from './engine/engine.ts';

/** The exit status of `docker exec` when the container ended before the process in it had started. The engine said so on standard output. */
const NOT_BEGUN = 126;
/** The exit status of `docker` for errors of the engine, which a command can have too. */
const ENGINE_ERROR = 1;
/** Such an error when the command did not begin, */
const DID_NOT_BEGIN = /^Error[^\n]*: (?:Container \w+ is (?:not running|paused|restarting)|No such container)/i;
/** and when its container was removed before it ended. */
const WAS_LOST = /^Error[^\n]*: No such exec instance/im;
/** The exit status of a process that was killed with its container. */
const KILLED = 137;

/** The commands whose results are kept. */
export const CHANGES: ReadonlySet<string> = new Set(['push', 'promote', 'rollback', 'remove', 'repair', 'bans']);

/** How long the result of a change is looked up, and how often (milliseconds). */
const LOOKUP_TIMEOUT_MS = 30_000;
const LOOKUP_INTERVAL_MS = 1_000;

/** How `docker exec` ended: the exit status, and what was first on standard error. */
interface End {
  readonly status: number;
  readonly errors: string;
}

/** The exit status of a command that ended so: when its controller has ended, that of the result that is looked up. */
export async function resolveLost(
  { status, errors }: End,
  { command, change, project, engine }: { command: string; change: string; project: string; engine: Engine },
): Promise<number> {
  if (status === NOT_BEGUN || (status === ENGINE_ERROR && DID_NOT_BEGIN.test(errors))) {
    throw new UnavailableError('the controller ended before the command began; run the command again');
  }
  if (status !== KILLED && !(status === ENGINE_ERROR && WAS_LOST.test(errors))) return status;
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
