import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import * as v from 'valibot';

import { DecodeError, HotcastError, UnavailableError, UsageError } from '../../../protocol/errors.ts';
import { PROTOCOL } from '../../../protocol/version.ts';
import { type Command, commandSchema } from '../api/command.ts';
import { linesOf } from '../api/lines.ts';
import { type Report, reportSchema } from '../api/report.ts';
import { describeProblem, foreignVersion, jsonLine, lineOf } from '../api/validation.ts';
import { InterruptedError } from './interruption.ts';

/** A controller that was just started listens within this time (milliseconds). */
const CONNECT_TIMEOUT_MS = 3_000;

/** An interrupted command waits so long for the controller to say what holds (milliseconds). */
const LAST_REPORT_TIMEOUT_MS = 5_000;

/** The controller ended before the result of a command. */
export class LostError extends HotcastError {
  readonly code = 'lost';
}

const NOTHING_KNOWN =
  'interrupted: the controller does not answer, so nothing is known of the command (see: docker compose logs)';

/** The time between two attempts to connect (milliseconds). */
const RETRY_INTERVAL_MS = 50;

/**
 * Sends a command to the controller in this container and yields its reports as they arrive.
 *
 * @throws InterruptedError when `signal` is aborted, with what holds then. The end of the connection asks the controller for it.
 * @throws UsageError if the command is not valid; nothing was sent.
 * @throws UnavailableError if no controller listens on the socket.
 * @throws LostError if the controller ends before the result.
 * @throws DecodeError if the controller sends a report that does not fit its schema.
 */
export async function* sendCommand(
  path: string,
  command: Command,
  signal: AbortSignal,
): AsyncGenerator<Report, void, undefined> {
  const { success, output, issues } = v.safeParse(commandSchema, command, { abortEarly: true });
  if (!success) throw new UsageError(issues[0].message);
  const socket = await connect(path, signal);
  let fault: unknown = null;
  let timer: NodeJS.Timeout | undefined;
  const leave = (): void => {
    socket.end();
    timer = setTimeout(() => socket.destroy(new InterruptedError(NOTHING_KNOWN)), LAST_REPORT_TIMEOUT_MS);
  };
  signal.addEventListener('abort', leave);
  socket.write(lineOf(output));
  try {
    for await (const line of linesOf(socket)) {
      const report = readReport(line);
      if (report.type === 'failed' && report.code === 'interrupted') throw new InterruptedError(report.message);
      yield report;
      if (report.type === 'result' || report.type === 'failed') return;
    }
  } catch (error) {
    if (error instanceof HotcastError) throw error;
    fault = error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', leave);
    socket.destroy();
  }
  throw new LostError('the controller ended before the result (see: docker compose logs)', { cause: fault });
}

function readReport(line: string): Report {
  const foreign = foreignVersion(line);
  if (foreign !== null) {
    const message = `the controller is of another release (protocol ${foreign}, this command speaks ${PROTOCOL}): run the command in its container`;
    throw new DecodeError(message);
  }
  const { success, output, issues } = v.safeParse(jsonLine(reportSchema), line, { abortEarly: true });
  if (success) return output;
  throw new DecodeError(
    `the controller sent a malformed report: ${describeProblem(issues)} (see: docker compose logs)`,
  );
}

/** Connects to the controller, and waits for one that is just starting. */
async function connect(path: string, signal: AbortSignal): Promise<Socket> {
  const deadline = performance.now() + CONNECT_TIMEOUT_MS;
  for (;;) {
    if (signal.aborted) throw new InterruptedError('interrupted: nothing was sent');
    try {
      const socket = createConnection(path);
      await once(socket, 'connect');
      if (!signal.aborted) return socket;
      socket.destroy();
    } catch (cause) {
      if (performance.now() > deadline) {
        throw new UnavailableError(
          'no controller listens in this container; nothing was sent (see: docker compose logs)',
          {
            cause,
          },
        );
      }
      await sleep(RETRY_INTERVAL_MS);
    }
  }
}
