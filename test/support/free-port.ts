import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that the kernel gives to connections, so that none of them takes one that was found to be free. */
const FIRST_PORT = 12_000;
const PORTS = 20_000;

/** A port of this machine on which nobody listens. Tests that run at the same time hardly ever get the same one. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    const server = createServer();
    try {
      await once(server.listen(port), 'listening');
    } catch {
      continue;
    }
    await new Promise(resolve => server.close(resolve));
    return port;
  }
}
