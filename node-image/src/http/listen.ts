import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

import { UsageError } from '../../../protocol/errors.ts';

/** A port of the node, and the setting that names it. */
interface Port {
  readonly port: number;
  readonly host?: string;
  readonly setting?: string;
}

/** Opens a port of the node. Resolves when the server listens. @throws UsageError that says what to do. */
export async function listen(server: Server, { port, host, setting = 'HTTP_PORT' }: Port): Promise<void> {
  const listening = once(server, 'listening');
  server.listen({ port, host });
  try {
    await listening;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UsageError(
      code === 'EADDRINUSE'
        ? `port ${port} is taken: set ${setting} to a free port, or stop what listens on it`
        : `can't listen on port ${port} (${setting}): ${message}`,
    );
  }
}

/**
 * Takes the node's port until it is disposed, so that no module takes it while the modules load, and the node finds out before
 * that it is taken. Other hosts find it closed.
 *
 * @throws UsageError see {@link listen}.
 */
export async function reservePort(port: number): Promise<Disposable> {
  const server = createServer(socket => void socket.destroy());
  await listen(server, { port, host: '127.0.0.1' });
  return { [Symbol.dispose]: () => void server.close() };
}
