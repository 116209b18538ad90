import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

import { HotcastError } from '../../../protocol/errors.ts';
import { CompileError } from '../build/compile.ts';
import type { Command, Report, OnReport } from '../api/command.ts';
import type { Result } from '../api/results.ts';
import { TypeCheckError } from '../build/type-check.ts';
import type { Logger } from '../../../shared/logger.ts';

/** Progress is told this often at most (milliseconds): a push to thousands has as many answers within one display. */
const PROGRESS_EVERY = 50;

/** Carries out a command and reports on the way. */
export type Run = (command: Command, say: OnReport) => Promise<Result>;

/**
 * Serves the command line on a Unix socket: a connection sends one command, a line of JSON, and gets reports, a line of
 * JSON each. Only who is in the container can reach it.
 */
export async function serveControl(path: string, run: Run, log: Logger): Promise<Server> {
  rmSync(path, { force: true });
  const server = createServer(socket => {
    socket.on('error', () => undefined); // The command line was ended; its command runs to its end.
    const input = createInterface({ input: socket });
    input.once('line', line => {
      input.close();
      void answer(socket, line, run, log);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  return server;
}

async function answer(socket: Socket, line: string, run: Run, log: Logger): Promise<void> {
  const say = (report: Report): void => void socket.write(`${JSON.stringify(report)}\n`);
  try {
    // The command line is the same program in the same container: its commands are well-formed.
    const result = await run(JSON.parse(line) as Command, withSeldomProgress(say));
    say({ type: 'result', result });
  } catch (error) {
    say(failure(error));
    if (!(error instanceof HotcastError)) log.error({ err: error }, 'a command failed');
  }
  socket.end();
}

/** Leaves out progress that comes too soon after the last, but for the end of a phase. */
function withSeldomProgress(say: OnReport): OnReport {
  let toldAt = -Infinity;
  return report => {
    if (report.type === 'progress' && report.answered < report.expected) {
      const now = performance.now();
      if (now - toldAt < PROGRESS_EVERY) return;
      toldAt = now;
    }
    say(report);
  };
}

function failure(error: unknown): Report {
  if (error instanceof CompileError || error instanceof TypeCheckError) {
    return { type: 'failed', code: error.code, message: error.message, diagnostics: error.diagnostics };
  }
  if (error instanceof HotcastError) return { type: 'failed', code: error.code, message: error.message };
  const detail = error instanceof Error ? error.message : String(error);
  return { type: 'failed', code: 'fault', message: `the controller failed: ${detail} (its log says more: make logs)` };
}
