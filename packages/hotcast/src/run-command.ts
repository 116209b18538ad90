import { resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';

import { type Client, END_OF_INPUT } from '../../../controller/src/api/host.ts';
import { ended } from './child-status.ts';
import { gitState } from './git-state.ts';
import { isInForeground, passKeys } from './typed-keys.ts';
import { CHANGES, resolveLost } from './lost-result.ts';
import { newId } from './new-id.ts';
import { cookieOption, hostVariables, type Session, variables } from './session.ts';

/** The commands that send sources. */
export const SENDS_SOURCES: ReadonlySet<string> = new Set(['push', 'dev', 'compile']);

/** An error of the engine is shorter. */
const MAX_FIRST_LENGTH = 1_024;

/**
 * Runs a command in the controller's container. Its input is a pipe that this process holds: however this process or `docker exec`
 * ends, the pipe ends, and with it the process in the container, to which `docker exec` passes no signal on. Ctrl+C closes the pipe,
 * and the rest of the output still arrives: a session of its own keeps the signal from `docker exec`. A second Ctrl+C does not wait
 * for it.
 *
 * @returns the exit status.
 */
export async function runCommand({ args, command, project, engine, controller }: Session): Promise<number> {
  const change = CHANGES.has(command) ? newId() : '';
  const client = command === 'shell' ? 'pipe' : clientOf(args);
  const hasSources = SENDS_SOURCES.has(command) && controller.modules !== '';
  const env = variables({
    HOTCAST_CLIENT: client,
    TERM: null,
    NO_COLOR: process.env['NO_COLOR'] ?? '',
    TRACEPARENT: process.env['TRACEPARENT'] ?? '',
    ...hostVariables(),
    HOTCAST_GIT: hasSources ? await gitState(resolve(project.folder, controller.modules)) : '',
    HOTCAST_CHANGE: change,
  });
  const all = ['--interactive', ...env, controller.id, 'hotcast', ...args, ...cookieOption(args)];
  const child = engine.exec(all, ['pipe', 'inherit', 'pipe'], { detached: true });
  const input = child.stdin as Writable;
  const errors = passErrors(child.stderr as Readable);
  // It ends when the command does, which its exit status says.
  input.on('error', () => undefined);
  const keys = client === 'keyboard' ? passKeys(process.stdin, key => input.write(key)) : null;
  if (command === 'shell') passLines(input);
  const interrupt = (): void => {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    keys?.[Symbol.dispose]();
    process.stdin.unpipe().pause();
    input.end();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const status = await ended(child);
  keys?.[Symbol.dispose]();
  return resolveLost({ status, errors: errors.first }, { command, change, project: project.name, engine });
}

/** `dev` has keys, in the foreground of a terminal. */
function clientOf(args: readonly string[]): Exclude<Client, null> {
  if (!process.stdout.isTTY || !process.stderr.isTTY) return 'pipe';
  const hasKeys = args[0] === 'dev' && !args.includes('--json') && process.stdin.isTTY;
  return hasKeys && isInForeground() ? 'keyboard' : 'terminal';
}

/** Passes the input on, and then says that there are no more lines. */
function passLines(input: Writable): void {
  process.stdin.once('end', () => input.write(`${END_OF_INPUT}\n`));
  process.stdin.pipe(input, { end: false });
}

/** Passes standard error on, and keeps its first words: an error of the engine is there. */
function passErrors(from: Readable): { readonly first: string } {
  const kept = { first: '' };
  from.setEncoding('utf8').on('data', (text: string) => {
    if (kept.first.length < MAX_FIRST_LENGTH) kept.first += text;
    process.stderr.write(text);
  });
  return kept;
}
