import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** What a connection sends again and again. Every answer has as many bytes as the first one. */
export interface Exchanges {
  /** Sent once on each connection, and answered by a head: the request for an upgrade. */
  readonly opening?: string;
  readonly request: string | Buffer;
  /** How many bytes the answer has that begins with these; null when that is not known yet. */
  readonly lengthOf: (received: Buffer) => number | null;
}

/** The times of a number of requests. */
export interface Load {
  readonly requests: number;
  readonly seconds: number;
  /** Of each request, from its sending to the last byte of its answer (milliseconds). */
  readonly ms: readonly number[];
}

/**
 * Sends requests on so many connections, on each the next one when the last one is answered. It does as little as it can for
 * each, because it takes processor time from the server.
 *
 * @throws Error when an answer is not as the first one, or a connection ends.
 */
export async function load(port: number, exchanges: Exchanges, connections: number, requests: number): Promise<Load> {
  const first = await open(port, exchanges.opening);
  const length = await firstLength(first, exchanges);
  first.destroy();
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port, exchanges.opening)));
  const ms: number[] = [];
  let left = requests;
  const startedAt = performance.now();
  const run = (socket: Socket): Promise<void> =>
    new Promise((resolve, reject) => {
      let received = 0;
      let sentAt = 0;
      const next = (): void => {
        if (left === 0) return resolve();
        left -= 1;
        sentAt = performance.now();
        socket.write(exchanges.request);
      };
      socket.on('close', () => reject(new Error('the server closed a connection')));
      socket.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (received < length) return;
        if (received > length) return reject(new Error(`an answer of ${received} bytes instead of ${length}`));
        received = 0;
        ms.push(performance.now() - sentAt);
        next();
      });
      next();
    });
  await Promise.all(sockets.map(run));
  const seconds = (performance.now() - startedAt) / 1e3;
  for (const socket of sockets) socket.removeAllListeners('close').destroy();
  return { requests, seconds, ms };
}

async function open(port: number, opening?: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  if (opening === undefined) return socket;
  socket.write(opening);
  const [head] = (await once(socket, 'data')) as [Buffer];
  if (!head.toString('latin1').endsWith('\r\n\r\n')) throw new Error(`no upgrade: ${head.toString('latin1')}`);
  return socket;
}

async function firstLength(socket: Socket, { request, lengthOf }: Exchanges): Promise<number> {
  socket.write(request);
  let received = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    received = Buffer.concat([received, chunk]);
    const length = lengthOf(received);
    if (length !== null && received.length >= length) return length;
  }
  throw new Error('the server closed the connection');
}
