import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

import type { CodeServer } from '../modules/code-server.ts';
import type { Version } from '../modules/version.ts';
import { endWebSocket } from '../sandbox/end-web-socket.ts';
import { runEvents } from '../sandbox/run-events.ts';
import { callListeners, type ServerHandler } from './module-server.ts';

/**
 * The connections that servers of modules upgrade on the node's port, with ws or socket.io for example. A connection belongs
 * to its version: it does not keep it alive, and ends with it.
 */
export function serverUpgrades(codeServer: CodeServer) {
  const sockets = new WeakSet<Duplex>();
  const byVersion = new WeakMap<Version, Set<Duplex>>();

  const own = (version: Version, socket: Duplex): void => {
    const open = byVersion.get(version) ?? new Set();
    if (!byVersion.has(version)) version.lifetime.finallyOnEnd(() => open.forEach(endWebSocket));
    byVersion.set(version, open.add(socket));
    sockets.add(socket);
    socket.once('close', () => open.delete(socket));
  };

  return {
    /** Whether a version has the connection. */
    has: (socket: Duplex): boolean => sockets.has(socket),

    /** Has a server upgrade a request. Returns false when it accepts no upgrades. Never rejects. */
    passOn: async (
      version: Version,
      { server, ready }: ServerHandler,
      [incoming, socket, head]: readonly [IncomingMessage, Duplex, Buffer],
    ): Promise<boolean> => {
      const run = <T>(body: () => T): T => codeServer.run(version, null, body);
      const call = codeServer.beginCall(version, 'WebSocket', `/${version.module}/ upgrade`);
      let failed = false;
      try {
        await run(ready);
        if (server.listenerCount('upgrade') === 0) return false;
        own(version, socket);
        runEvents(socket, run);
        await run(() => callListeners(server, 'upgrade', incoming, socket, head));
      } catch (error) {
        failed = true;
        version.log.error(() => codeServer.errors.describe(error), 'error in upgrade');
        socket.destroy();
      } finally {
        codeServer.endCall(call, failed);
      }
      return true;
    },
  };
}
