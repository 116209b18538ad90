import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

import { UnavailableError } from '../../../protocol/errors.ts';
import type { Command, Report } from '../api/command.ts';

/** A controller that was just started listens within this time (milliseconds). */
const STARTING = 3_000;

/**
 * Sends a command to the controller in this container and gives its reports as they come.
 *
 * @throws UnavailableError when no controller listens on the socket, or it ends before the result.
 */
export async function* sendCommand(path: string, command: Command): AsyncGenerator<Report, void, undefined> {
  const socket = await connectWithin(path, STARTING);
  let fault: Error | null = null;
  socket.on('error', error => (fault = error));
  socket.write(`${JSON.stringify(command)}\n`);
  for await (const line of createInterface({ input: socket })) {
    const report = JSON.parse(line) as Report;
    yield report;
    if (report.type === 'result' || report.type === 'failed') return;
  }
  throw new UnavailableError('the controller does not answer; nothing is known of the command (see: make logs)', {
    cause: fault,
  });
}

async function connectWithin(path: string, timeoutMs: number): Promise<Socket> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await connectOnce(path);
    } catch (cause) {
      if (performance.now() > deadline) {
        throw new UnavailableError('no controller listens in this container; nothing was sent (see: make logs)', {
          cause,
        });
      }
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  }
}

function connectOnce(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once('error', reject).once('connect', () => resolve(socket.off('error', reject)));
  });
}
