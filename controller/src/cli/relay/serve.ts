import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';

import * as v from 'valibot';

import type { Logger } from '../../../../shared/logger.ts';
import { orNullAfter } from '../../../../shared/timeout.ts';
import type { CommandLine, RunLine } from '../../api/command-line.ts';
import { jsonLine } from '../../api/validation.ts';
import { NO_RESULT } from '../exit-status.ts';
import { lineRunner } from './run-line.ts';

/** How long the end of this server waits until relays have what their commands printed (milliseconds). */
const FLUSH_TIMEOUT_MS = 500;

/** A command line, as its relay sends it. */
const requestSchema = v.object({
  args: v.array(v.string()),
  env: v.record(v.string(), v.string()),
  isTerminal: v.boolean(),
});

/** The socket for relays, beside that of the controller. */
const relaySocket = (socketPath: string): string => `${socketPath}.cli`;

/**
 * Runs the command lines of relays, `controller/hotcast.pl`, in this process, which has loaded what they need: to start a process for
 * each takes longer than most commands do. A relay sends a line of JSON, and then what its user types. It receives what is printed, as
 * `1 LENGTH` or `2 LENGTH`, by the number of the stream, a line feed and so many bytes, and at last `0 STATUS`. The end of what a relay
 * sends interrupts its command. Only processes in the container can reach the socket.
 *
 * @param socketPath the socket of the controller.
 */
export async function serveRelays(socketPath: string, log: Logger): Promise<AsyncDisposable> {
  const path = relaySocket(socketPath);
  rmSync(path, { force: true });
  const runLine = lineRunner(socketPath);
  const open = new Map<Socket, Promise<unknown>>();
  const server = createServer({ allowHalfOpen: true }, socket => {
    // The relay ended.
    socket.on('error', () => undefined);
    const closed = new Promise(resolve => socket.once('close', resolve));
    open.set(
      socket,
      closed.then(() => open.delete(socket)),
    );
    void answer(socket, runLine, log);
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise(resolve => server.close(resolve));
      await orNullAfter(FLUSH_TIMEOUT_MS, Promise.all(open.values()));
      for (const socket of open.keys()) socket.destroy();
      await closed;
    },
  };
}

async function answer(socket: Socket, runLine: RunLine, log: Logger): Promise<void> {
  try {
    const line = await readLine(socket);
    const request = v.parse(jsonLine(requestSchema), line);
    const status = await run(request, socket, runLine);
    socket.end(`0 ${status}\n`).resume();
  } catch (error) {
    log.error({ err: error }, 'a command line failed');
    const detail = error instanceof Error ? error.message : String(error);
    print(socket, 2, `hotcast: the controller failed: ${detail} (its log says more: docker compose logs)\n`);
    socket.end(`0 ${NO_RESULT}\n`).resume();
  }
}

function run(line: CommandLine, socket: Socket, runLine: RunLine): Promise<number> {
  return runLine(line, {
    print: (stream, text) => print(socket, stream, text),
    drained: () => drained(socket),
    interruption: () => {
      const left = new AbortController();
      const leave = (): void => left.abort();
      // It can have ended with its first line.
      if (socket.readableEnded || socket.destroyed) leave();
      else socket.once('end', leave).once('close', leave).resume();
      return left.signal;
    },
    readKeys: onKey => readKeys(socket, onKey),
  });
}

/** Prints to a stream of a relay, by its number. */
function print(socket: Socket, stream: 1 | 2, text: string): void {
  const bytes = Buffer.from(text);
  socket.write(Buffer.concat([Buffer.from(`${stream} ${bytes.length}\n`), bytes]));
}

/** The first line of a connection. What follows is read later. */
async function readLine(socket: Socket): Promise<string> {
  let text = '';
  for await (const part of socket.setEncoding('utf8').iterator({ destroyOnReturn: false }) as AsyncIterable<string>) {
    text += part;
    const end = text.indexOf('\n');
    if (end === -1) continue;
    socket.unshift(text.slice(end + 1));
    return text.slice(0, end);
  }
  return '';
}

function readKeys(socket: Socket, onKey: (key: string) => void): void {
  socket.on('data', (keys: string) => {
    for (const key of keys) onKey(key);
  });
}

/** Resolves when the relay has taken what was printed, or has ended. */
async function drained(socket: Socket): Promise<void> {
  if (!socket.writableNeedDrain || socket.destroyed) return;
  await new Promise<void>(resolve => {
    const settle = (): void => {
      socket.off('drain', settle).off('close', settle);
      resolve();
    };
    socket.on('drain', settle).on('close', settle);
  });
}
