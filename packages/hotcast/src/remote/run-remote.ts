import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { HotcastError, UsageError } from '../../../../protocol/errors.ts';
import { type Credentials, readCredentials } from '../../../../protocol/operators/credentials.ts';
import { INTERRUPTED, UNKNOWN } from '../../../../controller/src/cli/exit-status.ts';
import { gitState } from '../git-state.ts';
import { CHANGES } from '../lost-result.ts';
import { newId } from '../new-id.ts';
import { SENDS_SOURCES } from '../run-command.ts';
import { cookieOption, hostVariables } from '../session.ts';
import { connectOperator } from './connect-operator.ts';
import { insteadOf } from './local-only.ts';
import { type LineOptions, runLine } from './remote-line.ts';
import { sourcesIn } from './sources.ts';

/** How long the result of a change is looked up, and how often (milliseconds). */
const LOOKUP_TIMEOUT_MS = 30_000;
const LOOKUP_INTERVAL_MS = 1_000;

export interface RemoteOptions {
  /** The name of the context, and the file with its credentials. */
  readonly context: { readonly name: string; readonly file: string };
  readonly args: readonly string[];
  /** The folder of the project, for a command that sends sources. */
  readonly folder: string;
}

/** Runs a command line on the controller of a context. Returns its exit status. @throws HotcastError when nothing was sent */
export async function runRemote({ context, args, folder }: RemoteOptions): Promise<number> {
  const [command = ''] = args;
  const instead = insteadOf(args);
  if (instead !== null) throw new UsageError(`${instead}; nothing was sent`);
  const credentials = readCredentials(readFileSync(context.file, 'utf8'), `the context ${context.name}`);
  const change = CHANGES.has(command) ? newId() : '';
  const isTerminal = [process.stdout, process.stderr].every(stream => stream.isTTY);
  const line: LineOptions = {
    args: [...args, ...cookieOption(args)],
    env: {
      HOTCAST_CLIENT: isTerminal ? 'terminal' : 'pipe',
      TERM: process.env['TERM'] ?? '',
      NO_COLOR: process.env['NO_COLOR'] ?? '',
      TRACEPARENT: process.env['TRACEPARENT'] ?? '',
      ...hostVariables(),
      HOTCAST_GIT: SENDS_SOURCES.has(command) ? await gitState(folder) : '',
      HOTCAST_CHANGE: change,
    },
    isTerminal,
    print: (stream, text) => void (stream === 1 ? process.stdout : process.stderr).write(text),
    answer: sourcesIn(folder),
    signal: interruption(),
  };
  const status = await once(credentials, line);
  if (status !== null) return status;
  if (line.signal.aborted) return INTERRUPTED;
  if (change === '') {
    say('the controller, or the connection to it, was lost before the result; run the command again');
    return 2;
  }
  say(`the controller, or the connection to it, was lost; looking up what came of it (change ${change})`);
  return lookUp(credentials, line, change);
}

async function once(credentials: Credentials, line: LineOptions): Promise<number | null> {
  const nats = await connectOperator(credentials);
  try {
    return await runLine(nats, credentials, line);
  } finally {
    await nats.close();
  }
}

/** Asks what came of a change, until somebody knows. */
async function lookUp(credentials: Credentials, line: LineOptions, change: string): Promise<number> {
  let printed = '';
  for (const deadline = performance.now() + LOOKUP_TIMEOUT_MS; performance.now() < deadline;) {
    let text = '';
    const args = ['result', change];
    const print = (stream: 1 | 2, part: string): void => void (stream === 1 && (text += part));
    const status = await once(credentials, { ...line, args, print }).catch((error: unknown) => {
      if (error instanceof HotcastError) return null;
      throw error;
    });
    if (status !== null && status < UNKNOWN && text !== '') {
      process.stdout.write(text);
      return status;
    }
    if (text !== '') printed = text;
    await sleep(LOOKUP_INTERVAL_MS);
  }
  if (printed === '') say(`what came of it is not known; see later: hotcast result ${change}`);
  process.stdout.write(printed);
  return UNKNOWN;
}

/** Aborted by the first signal that ends a command; the second one ends this process. */
function interruption(): AbortSignal {
  const interrupted = new AbortController();
  const interrupt = (): void => {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    interrupted.abort();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  return interrupted.signal;
}

function say(message: string): void {
  process.stderr.write(`hotcast: ${message}\n`);
}
