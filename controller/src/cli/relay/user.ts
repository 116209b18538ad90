import { gitStateOf } from '../../../../protocol/history/why.ts';
import type { Client } from '../../api/host.ts';
import type { CliOptions, Terminal } from '../program.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** What the environment of a command line says of its user. */
export function userOf(env: Env): Pick<CliOptions, 'author' | 'version' | 'sources' | 'change' | 'traceparent'> {
  return {
    author: env['HOTCAST_AUTHOR'] || 'hotcast',
    ...(env['HOTCAST_CLI'] ? { version: env['HOTCAST_CLI'] } : {}),
    sources: gitStateOf(env['HOTCAST_GIT'] ?? ''),
    ...(env['HOTCAST_CHANGE'] ? { change: env['HOTCAST_CHANGE'] } : {}),
    ...(env['TRACEPARENT'] ? { traceparent: env['TRACEPARENT'] } : {}),
  };
}

export function clientOf({ HOTCAST_CLIENT: value }: Env): Client {
  return value === 'terminal' || value === 'keyboard' || value === 'pipe' ? value : null;
}

/**
 * The output of a command line.
 *
 * @param isTerminal whether its standard output is a terminal, beside what the environment says.
 * @param write writes to the standard output, 1, or to the standard error, 2.
 */
export function terminalOf(env: Env, isTerminal: boolean, write: (stream: 1 | 2, text: string) => void): Terminal {
  const client = clientOf(env);
  const isRemoteTerminal = client === 'terminal' || client === 'keyboard';
  const isPerson = (isRemoteTerminal || isTerminal) && env['TERM'] !== 'dumb';
  return {
    out: text => write(1, `${text}\n`),
    // Two streams can overtake each other on their way to a terminal.
    err: text => write(isRemoteTerminal ? 1 : 2, `${text}\n`),
    draw: isPerson ? text => write(1, text) : null,
    colors: isPerson && !env['NO_COLOR'],
  };
}
