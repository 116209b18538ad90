import { resolve } from 'node:path';
import type { Writable } from 'node:stream';

import { type Client, END_OF_INPUT } from '../../../controller/src/api/host.ts';
import { gitState } from './git-state.ts';
import { isInForeground, passKeys } from './typed-keys.ts';
import { CHANGES, resolveLost } from './lost-result.ts';
import { newId } from './new-id.ts';
import { cookieOption, hostVariables, type Session } from './session.ts';

/** The commands that send sources. */
export const SENDS_SOURCES: ReadonlySet<string> = new Set(['push', 'dev', 'compile']);

/** An error of the engine is shorter. */
const MAX_FIRST_LENGTH = 1_024;

/**
 * Runs a command in the controller's container. Its input is a connection that this process holds: however this process ends, the
 * connection ends, and with it the process in the container, to which the engine passes no signal on. Ctrl+C closes it, and the rest of
 * the output still arrives. A second Ctrl+C does not wait for it.
 *
 * @returns the exit status.
 */
export async function runCommand({ args, command, project, engine, controller }: Session): Promise<number> {
  const change = CHANGES.has(command) ? newId() : '';
  const client = command === 'shell' ? 'pipe' : clientOf(args);
  const hasSources = SENDS_SOURCES.has(command) && controller.modules !== '';
  const env = {
    HOTCAST_CLIENT: client,
    TERM: null,
    NO_COLOR: process.env['NO_COLOR'] ?? '',
    TRACEPARENT: process.env['TRACEPARENT'] ?? '',
    ...hostVariables(),
    HOTCAST_GIT: hasSources ? await gitState(resolve(project.folder, controller.modules)) : '',
    HOTCAST_CHANGE: change,
  };
  const words = ['hotcast', ...args, ...cookieOption(args)];
  let errors = '';
  const onErrors = (part: Buffer): void => {
    // An error of the engine is there.
    if (errors.length < MAX_FIRST_LENGTH) errors += part.toString();
    process.stderr.write(part);
  };
  const { input, ended } = await engine.execHere({ container: controller.id, env, command: words, onErrors });
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
  const status = await ended;
  keys?.[Symbol.dispose]();
  return resolveLost({ status, errors }, { command, change, project: project.name, engine });
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
