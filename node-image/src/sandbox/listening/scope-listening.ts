import { Server } from 'node:net';

import { currentOwner } from '../execution-context.ts';
import { type ListenAddress, listenAddress } from './listen-address.ts';
import type { PortOwner } from './port-owner.ts';
import { SharedPort } from './shared-port.ts';
import { VersionServer } from './version-server.ts';

/** `net.Server#listen` of Node.js. */
const listen = Reflect.get(Server.prototype, 'listen') as (this: Server, ...args: unknown[]) => Server;

/** The ports that modules listen on, by {@link ListenAddress.key}. */
const ports = new Map<string, SharedPort<VersionServer>>();

/**
 * Makes servers of modules listen on ports that the node holds, so that a port passes from version to version without a
 * refused connection. All servers of Node.js listen with `net.Server#listen`. Servers of the node itself are not changed.
 * This can't be undone.
 *
 * - A new version that listens where its predecessor does gets all new connections, and the next request of each old one.
 * - A request that runs holds its version. Other connections, such as WebSockets, end when their version has closed.
 * - After a swap, the port waits 5 seconds for the new version to listen. A removal closes it at once.
 * - While a module loads, `listen` throws if it fails, so that the load fails. Later it emits `error`, as in Node.js.
 */
export function scopeListening(): void {
  Server.prototype.listen = function (this: Server, ...args: unknown[]): Server {
    const owner = currentOwner();
    const address = owner === null ? null : listenAddress(args);
    if (owner === null || address === null || this.listening) return Reflect.apply(listen, this, args);
    listenFor(owner, this, address);
    return this;
  };
}

function listenFor(owner: PortOwner, server: Server, { options, key, onListening }: ListenAddress): void {
  if (onListening !== null) server.once('listening', onListening);
  let port: SharedPort<VersionServer>;
  try {
    port = portOf(owner, options, key);
  } catch (error) {
    if (owner.isLoading()) throw error;
    process.nextTick(() => owner.run(() => server.emit('error', error)));
    return;
  }
  const attached = new VersionServer(server, owner, port);
  const { signal } = options;
  if (signal?.aborted === true) process.nextTick(() => server.close());
  signal?.addEventListener('abort', () => server.close(), { once: true });
  if (port.opening === null) process.nextTick(() => attached.announce());
  else
    port.opening.then(
      () => attached.announce(),
      () => undefined,
    );
}

/** The port that a version listens on. @throws Error when it is taken, or can't be opened. */
function portOf(owner: PortOwner, options: ListenAddress['options'], key: string): SharedPort<VersionServer> {
  const { module } = owner;
  if (owner.lifetime.ended) throw new Error(`module ${module} can't listen on ${key}: this version of it was purged`);
  const open = options.port === 0 ? undefined : ports.get(key);
  if (open === undefined) {
    const port = new SharedPort<VersionServer>(module, options, () => ports.get(key) === port && ports.delete(key));
    if (options.port !== 0) ports.set(key, port);
    return port;
  }
  if (open.module === module && !open.has(server => server.belongsTo(owner))) return open;
  const message = `listen EADDRINUSE: module ${open.module} listens on ${key}`;
  throw Object.assign(new Error(message), { code: 'EADDRINUSE', syscall: 'listen', port: options.port });
}
