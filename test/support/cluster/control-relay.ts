import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/**
 * The program in the controller's container. A line of its input is a connection's number and its command; a line of its
 * output is a connection's number and one report, or null at the connection's end.
 */
const PROGRAM = `
  const { createConnection } = require('node:net');
  const { createInterface } = require('node:readline');
  const say = (id, report) => process.stdout.write(JSON.stringify([id, report]) + '\\n');
  createInterface({ input: process.stdin }).on('line', line => {
    const [id, command] = JSON.parse(line);
    const socket = createConnection(process.env.CONTROLLER_SOCKET || '/run/hotcast/controller.sock');
    socket.on('error', () => undefined).once('close', () => setImmediate(say, id, null));
    createInterface({ input: socket }).on('line', report => say(id, report));
    socket.write(command + '\\n');
  });
`;

/** The controller's socket, on this machine. */
export interface ControlRelay extends AsyncDisposable {
  readonly socketPath: string;
}

/**
 * Serves a controller's socket on this machine, by one process in its container. To run the command line here takes some
 * milliseconds; to start it in the container, up to seconds on a busy machine. When the container has stopped, its connections
 * end, and the next one starts the process again.
 */
export async function startControlRelay(socketPath: string, container: () => string): Promise<ControlRelay> {
  let sockets = new Map<number, Socket>();
  let connections = 0;
  let relay: ChildProcessWithoutNullStreams | null = null;

  const startRelay = (): ChildProcessWithoutNullStreams => {
    const started = spawn('docker', ['exec', '--interactive', container(), 'node', '-e', PROGRAM]);
    started.stderr.resume();
    started.on('error', () => undefined).stdin.on('error', () => undefined);
    createInterface({ input: started.stdout }).on('line', line => {
      const [id, report] = JSON.parse(line) as [number, string | null];
      const socket = sockets.get(id);
      if (report === null) socket?.end();
      else socket?.write(`${report}\n`);
    });
    started.once('close', () => {
      const unanswered = sockets;
      sockets = new Map();
      relay = null;
      for (const socket of unanswered.values()) socket.end();
    });
    return started;
  };

  const server = createServer(socket => {
    const id = (connections += 1);
    sockets.set(id, socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(id));
    createInterface({ input: socket }).once('line', command => {
      relay ??= startRelay();
      relay.stdin.write(`${JSON.stringify([id, command])}\n`);
    });
  });
  server.listen(socketPath);
  await once(server, 'listening');
  return {
    socketPath,
    [Symbol.asyncDispose]: async () => {
      relay?.kill();
      for (const socket of sockets.values()) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
