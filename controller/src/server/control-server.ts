import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';

import * as v from 'valibot';

import { DecodeError, HotcastError, UsageError } from '../../../protocol/errors.ts';
import { PROTOCOL } from '../../../protocol/version.ts';
import type { Logger } from '../../../shared/logger.ts';
import { orNullAfter } from '../../../shared/timeout.ts';
import { type Command, commandSchema, isChanging, isFollowing, MAX_COMMAND_BYTES } from '../api/command.ts';
import { SourceError } from '../api/diagnostic.ts';
import { type Client, type OnReport, type Report, reportSchema, UNKNOWN_RESULT } from '../api/report.ts';
import type { Result } from '../api/results.ts';
import { describeProblem, foreignVersion, jsonLine, lineOf } from '../api/validation.ts';

/** The shortest time between two progress reports (milliseconds). Thousands of nodes answer a push within one frame. */
const PROGRESS_INTERVAL_MS = 50;

/** With more than this unsent, a client reads too slowly for a log, and entries of it are dropped (bytes). */
const MAX_UNSENT_BYTES = 256 * 1024;

/** Carries out a command for a client: see {@link Client}. */
export type Run = (
  command: Command,
  report: Client['report'],
  signal: Client['signal'],
  holds: Client['holds'],
) => Promise<Result>;

/** The code of a command that the end of the controller has ended. */
const LOST = 'lost';

/** A command that runs. */
interface Running {
  readonly command: Command;
  /** Resolves when it has ended, or its client was told of the controller's end. */
  readonly told: Promise<void>;
  /**
   * Tells the client that the controller ends, and what holds then. `now`: also while heads are written; otherwise once they are.
   */
  readonly end: (now: boolean) => void;
}

/** The client has gone before its command ended, or the controller ends. The command was told by its signal. */
class AbandonedError extends HotcastError {
  readonly code = 'abandoned';
}

export interface ControlServer extends AsyncDisposable {
  /**
   * Takes no more commands, ends those that only follow what happens, and waits for the others, at most `timeoutMs` (milliseconds). Then it
   * ends those too whose results nobody keeps.
   */
  readonly finish: (timeoutMs: number) => Promise<void>;
}

/**
 * Serves the CLI on a Unix socket. A connection sends one command, a line of JSON, and receives reports, a line of JSON
 * each. A client that ends its side is interrupted: it is told at once what holds, and its command stops to wait. Only
 * processes in the container can reach the socket. Disposing it ends the open connections.
 */
export async function serveControl(path: string, run: Run, log: Logger): Promise<ControlServer> {
  rmSync(path, { force: true });
  const running = new Set<Running>();
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, socket => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // The CLI ended.
    socket.on('error', () => undefined);
    void answer(socket, run, running, log);
  });
  server.listen(path);
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise(resolve => server.close(resolve));
  };
  const finish = async (timeoutMs: number): Promise<void> => {
    server.close();
    for (const { command, end } of running) if (isFollowing(command)) end(false);
    await orNullAfter(timeoutMs, Promise.all([...running].map(({ told }) => told)));
    for (const { command, end } of running) if (!isChanging(command)) end(true);
  };
  return { finish, [Symbol.asyncDispose]: close };
}

async function answer(socket: Socket, run: Run, running: Set<Running>, log: Logger): Promise<void> {
  const gone = new AbortController();
  const report: OnReport = message => {
    if (!gone.signal.aborted) socket.write(lineOf(checked(message, log)));
  };
  let holding = '';
  let isWritten = false;
  let endsSoon = false;
  let setTold = (): void => undefined;
  const told = new Promise<void>(resolve => (setTold = resolve));
  const leave = (code: string, why: string): void => {
    report({ type: 'failed', code, message: [why, holding].filter(Boolean).join(': ') });
    gone.abort(new AbandonedError(why));
    socket.destroySoon();
  };
  const interrupted = (): void => leave('interrupted', 'interrupted');
  const end = (now: boolean): void => {
    endsSoon = true;
    if (isWritten && !now) return;
    leave(isWritten ? UNKNOWN_RESULT : LOST, 'the controller ends');
    setTold();
  };
  let one: Running | null = null;
  try {
    const line = await readLine(socket, MAX_COMMAND_BYTES);
    // The end of a connection is seen only while somebody reads from it.
    socket.once('end', interrupted).once('close', interrupted).resume();
    if (line !== null) {
      const command = readCommand(line);
      running.add((one = { command, told, end }));
      const holds: Client['holds'] = (what, written = isWritten) => {
        holding = what;
        isWritten = written;
        // What came of it is reported in this turn.
        if (endsSoon && !written) setImmediate(end, false);
      };
      const result = await run(command, limitProgress(limitLogs(report, socket)), gone.signal, holds);
      report({ type: 'result', result });
    }
  } catch (error) {
    if (error instanceof AbandonedError) log.info({ why: error.message }, 'a command does not wait any more');
    else if (!(error instanceof HotcastError)) log.error({ err: error }, 'a command failed');
    const failed = failure(error);
    // A request that is not valid has written nothing.
    const isUnknown = isWritten && !(error instanceof UsageError);
    report(isUnknown ? { ...failed, code: UNKNOWN_RESULT } : failed);
  }
  if (one !== null) running.delete(one);
  setTold();
  socket.off('end', interrupted).off('close', interrupted).destroySoon();
}

/** The first line of a connection; null if the connection ends before it. @throws DecodeError if the line is too long. */
async function readLine(socket: Socket, maxBytes: number): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  // The socket stays open after the line, for the reports.
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    const end = chunk.indexOf('\n');
    chunks.push(end === -1 ? chunk : chunk.subarray(0, end));
    size += chunk.length;
    if (size > maxBytes) throw new DecodeError(`the command is longer than ${maxBytes} bytes`);
    if (end !== -1) return Buffer.concat(chunks).toString();
  }
  return null;
}

function readCommand(line: string): Command {
  const foreign = foreignVersion(line);
  if (foreign !== null) {
    const message = `this command is of another release (protocol ${foreign}, the controller speaks ${PROTOCOL}); nothing was sent: run it in the controller's own container`;
    throw new DecodeError(message);
  }
  const { success, output, issues } = v.safeParse(jsonLine(commandSchema), line, { abortEarly: true });
  if (success) return output;
  throw new DecodeError(`the command is malformed; nothing was sent: ${describeProblem(issues)}`);
}

/** The report itself. If it does not fit its schema, which is a fault of the controller: a report of that. */
function checked(report: Report, log: Logger): Report {
  const { success, output, issues } = v.safeParse(reportSchema, report, { abortEarly: true });
  if (success) return output;
  const problem = describeProblem(issues);
  log.error({ report: report.type, problem }, 'a report does not fit its schema');
  const message = `the controller made a malformed report: ${problem} (see: docker compose logs)`;
  return report.type === 'result' ? { type: 'failed', code: 'fault', message } : { type: 'warning', message };
}

/** Drops progress that follows the last too soon, except the begin and the end of a phase. */
function limitProgress(report: OnReport): OnReport {
  let last = -Infinity;
  let phase = '';
  return message => {
    if (message.type === 'progress' && message.answered < message.expected) {
      const now = performance.now();
      if (message.phase === phase && now - last < PROGRESS_INTERVAL_MS) return;
      ({ phase } = message);
      last = now;
    }
    report(message);
  };
}

/** Drops log entries while the client has not read what was sent before, and counts them. */
function limitLogs(report: OnReport, socket: Pick<Socket, 'writableLength'>): OnReport {
  let unsent = 0;
  return message => {
    if (message.type !== 'logged') return report(message);
    if (socket.writableLength > MAX_UNSENT_BYTES) {
      unsent += message.entries.reduce((sum, { count }) => sum + count, message.dropped);
      return;
    }
    report({ ...message, dropped: message.dropped + unsent });
    unsent = 0;
  };
}

function failure(error: unknown): Extract<Report, { type: 'failed' }> {
  if (error instanceof SourceError) {
    return { type: 'failed', code: error.code, message: error.message, diagnostics: error.diagnostics };
  }
  if (error instanceof HotcastError) return { type: 'failed', code: error.code, message: error.message };
  const detail = error instanceof Error ? error.message : String(error);
  return {
    type: 'failed',
    code: 'fault',
    message: `the controller failed: ${detail} (its log says more: docker compose logs)`,
  };
}
