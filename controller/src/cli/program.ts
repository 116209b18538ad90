import { Command as Program, CommanderError } from '@commander-js/extra-typings';

import { HotcastError } from '../../../protocol/errors.ts';
import type { Command } from '../api/command.ts';
import type { Report } from '../api/report.ts';
import { sendCommand } from './client.ts';
import { type Actions, defineCli } from './commands.ts';
import { exitStatus, NO_RESULT } from './exit-status.ts';
import { render } from './render.ts';

/** The output of a command. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Whether a person reads the output, so that progress is drawn. */
  readonly interactive: boolean;
}

interface CliOptions {
  /** The Unix socket of the controller. */
  readonly socketPath: string;
  /** The name that the history records for changes. */
  readonly author: string;
  /** Runs the controller. */
  readonly serve: () => Promise<void>;
  readonly terminal: Terminal;
}

/** Runs `hotcast …` and returns its exit status: see exit-status.ts. */
export async function runCli(args: readonly string[], options: CliOptions): Promise<number> {
  const { socketPath, author, serve, terminal } = options;
  let status = 0;
  const send: Actions['send'] = async ({ cookie, timeout, json = false }, body) => {
    status = await run(socketPath, { cookie: cookie || null, timeoutMs: timeout, ...body }, json, terminal);
  };
  const program = new Program('hotcast')
    .configureOutput({ writeOut: text => terminal.out(text.trimEnd()), writeErr: text => terminal.err(text.trimEnd()) })
    .exitOverride();
  defineCli(program, author, { send, serve });
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : NO_RESULT;
  }
  return status;
}

async function run(socketPath: string, command: Command, json: boolean, terminal: Terminal): Promise<number> {
  try {
    for await (const report of sendCommand(socketPath, command)) {
      const status = show(report, json, terminal);
      if (status !== null) return status;
    }
    throw new TypeError('the reports ended without a result');
  } catch (error) {
    if (!(error instanceof HotcastError)) throw error;
    show({ type: 'failed', code: error.code, message: error.message }, json, terminal);
    return NO_RESULT;
  }
}

/** Shows a report. Returns the exit status if it is the last report, otherwise null. */
function show(report: Report, json: boolean, { out, err, interactive }: Terminal): number | null {
  const clear = interactive ? '\r\u001B[K' : '';
  switch (report.type) {
    case 'progress':
      if (interactive) process.stderr.write(`${clear}${report.phase} ${report.answered}/${report.expected}`);
      return null;
    case 'warning':
      err(`${clear}warning: ${report.message}`);
      return null;
    case 'failed':
      if (json) out(JSON.stringify({ failed: report }));
      err(`${clear}hotcast: ${report.message}`);
      return NO_RESULT;
    case 'result':
      if (clear !== '') process.stderr.write(clear);
      out(json ? JSON.stringify(report.result) : render(report.result));
      return exitStatus(report.result);
  }
}
