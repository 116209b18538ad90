import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

import { linesOf } from '../../../../controller/src/api/lines.ts';
import { ControlRelay } from './control-relay.ts';

/**
 * Serves a controller's socket on this machine, so that the command line can run here: to start it in the container takes up
 * to seconds on a busy machine. When the container stops, the connections end, and the next one starts a new relay.
 *
 * @param container gives the id of the controller's container.
 */
export async function serveControlSocket(path: string, container: () => string): Promise<AsyncDisposable> {
  const sockets = new Set<Socket>();
  let relay: ControlRelay | null = null;

  const carryOn = async (socket: Socket): Promise<void> => {
    // The socket stays open after the command, for the reports.
    for await (const command of linesOf(socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>)) {
      relay ??= new ControlRelay(container(), () => (relay = null));
      relay.send(command, line => void (line === null ? socket.end() : socket.write(`${line}\n`)));
      return;
    }
  };
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    carryOn(socket).catch(() => socket.destroy());
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    [Symbol.asyncDispose]: async () => {
      relay?.[Symbol.dispose]();
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
