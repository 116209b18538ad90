import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import type { Server, Socket } from 'node:net';

import { endWebSocket } from '../end-web-socket.ts';
import { isFailedStatus } from '../failed-status.ts';
import { runEvents } from '../run-events.ts';
import type { PortOwner } from './port-owner.ts';
import type { PortServer, SharedPort } from './shared-port.ts';

/** The events with which an HTTP server gets a request. Their first argument has its method and URL. */
const REQUEST_EVENTS = new Set<unknown>(['request', 'checkContinue', 'checkExpectation', 'upgrade', 'connect']);

/** The events of a request whose connection is no longer one of HTTP. */
const UPGRADE_EVENTS = new Set<unknown>(['upgrade', 'connect']);

type Emit = (event: unknown, ...args: unknown[]) => boolean;

/**
 * A server of a version that listens on a port that the node holds. For Node.js and for the module it is an ordinary server
 * that listens.
 */
export class VersionServer implements PortServer {
  readonly #server: Server;
  readonly #owner: PortOwner;
  readonly #port: SharedPort<VersionServer>;
  readonly #emit: Emit;
  /**
   * The connections that it has, and how each is ended. Those of HTTP are left out: a connection of HTTP ends after its next
   * request.
   */
  readonly #sockets = new Map<Socket, (socket: Socket) => void>();
  #isAttached = true;

  constructor(server: Server, owner: PortOwner, port: SharedPort<VersionServer>) {
    this.#server = server;
    this.#owner = owner;
    this.#port = port;
    this.#emit = server.emit.bind(server) as Emit;
    Reflect.set(server, '_handle', this.#handle());
    if (isHttp(server)) this.#passOnRequests();
    owner.lifetime.onReplaced(how => this.#detach(how === 'replaced'));
    owner.lifetime.finallyOnEnd(() => this.#endConnections());
    port.add(this);
  }

  belongsTo(owner: PortOwner): boolean {
    return this.#owner === owner;
  }

  /** Tells the module that the server listens. */
  announce(): void {
    if (this.#isAttached) this.#owner.run(() => this.#emit('listening'));
  }

  fail(error: Error): void {
    this.#detach(false);
    Reflect.set(this.#server, '_handle', null);
    this.#owner.run(() => this.#emit('error', error));
  }

  /** What net.Server does with a connection that its own handle accepts. */
  connect(socket: Socket): void {
    const server = this.#server as ServerOptions;
    if (
      server.maxConnections !== undefined &&
      server.maxConnections !== null &&
      server._connections >= server.maxConnections
    ) {
      socket.destroy();
      return;
    }
    Object.assign(socket, { server, _server: server });
    server._connections += 1;
    if (!server.allowHalfOpen) socket.allowHalfOpen = false;
    if (server.noDelay) socket.setNoDelay(true);
    if (server.keepAlive) socket.setKeepAlive(true, server.keepAliveInitialDelay);
    runEvents(socket, this.#owner.run);
    if (!isHttp(this.#server)) this.#own(socket);
    this.#owner.run(() => this.#emit('connection', socket));
  }

  #own(socket: Socket, end = endConnection): void {
    this.#sockets.set(socket, end);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #passOnRequests(): void {
    const server = this.#server as Partial<HttpServer>;
    server.emit = this.#emitHttp;
    // A server of HTTP/2 has none.
    const closeIdle = server.closeIdleConnections?.bind(server);
    if (closeIdle === undefined) return;
    // On an idle connection, a request can be on its way. The next version gets it.
    server.closeIdleConnections = () => void ((this.#isAttached || this.#port.isClosed) && closeIdle());
  }

  /**
   * A request on a connection that is older than the newest server goes to that one, and is the last of the connection: the
   * next one is made with the newest server.
   */
  readonly #emitHttp: Emit = (event, ...args) => {
    const isRequest = REQUEST_EVENTS.has(event);
    if (!isRequest && event !== 'stream' && event !== 'session') return this.#emit(event, ...args);
    const resumed = isRequest ? this.#owner.untilResumed() : null;
    if (resumed !== null) {
      void resumed.then(() => this.#emitHttp(event, ...args));
      return true;
    }
    if (!isRequest || this.#isAttached || this.#isClosedByModule()) {
      this.#take(event, args);
      return true;
    }
    this.#port.whenTaken(newest => {
      const response = args[1] as ServerResponse | Socket;
      if (newest === null) return void response.destroy();
      if (!UPGRADE_EVENTS.has(event)) (response as ServerResponse).shouldKeepAlive = false;
      newest.#take(event, args);
    });
    return true;
  };

  /** Whether the module itself has closed its server. As in Node.js, it still gets the requests of open connections. */
  #isClosedByModule(): boolean {
    return this.#port.isClosed && !this.#owner.lifetime.ended;
  }

  #take(event: unknown, args: readonly unknown[]): void {
    const [first, second] = args;
    if (event === 'session') this.#own(first as Socket);
    else if (UPGRADE_EVENTS.has(event)) this.#own(second as Socket, isWebSocket(first) ? endWebSocket : endConnection);
    else if (event === 'stream') {
      const headers = second as Record<string, string>;
      const end = this.#owner.beginRequest(headers[':method'] ?? '', headers[':path'] ?? '');
      (first as ServerHttp2Stream).once('close', () => {
        end(isFailedStatus((first as ServerHttp2Stream).sentHeaders?.[':status']));
      });
    } else if (!('stream' in (first as object))) {
      const { method = '', url = '' } = first as IncomingMessage;
      const end = this.#owner.beginRequest(method, url);
      (second as ServerResponse).once('close', () => end(isFailedStatus((second as ServerResponse).statusCode)));
    }
    this.#owner.run(() => this.#emit(event, ...args));
  }

  /** What net.Server needs of its handle. */
  #handle(): object {
    return {
      getsockname: (out: object) => (Object.assign(out, this.#port.address()), 0),
      close: () => this.#detach(false),
      ref: () => undefined,
      unref: () => undefined,
    };
  }

  /** The server gets nothing new. */
  #detach(successor: boolean): void {
    if (!this.#isAttached) return;
    this.#isAttached = false;
    this.#port.remove(this, { successor });
    if (isHttp(this.#server)) (this.#server as Partial<HttpServer>).closeIdleConnections?.();
  }

  /** Ends the connections that the version still has, after what was written to them. */
  #endConnections(): void {
    if (this.#server.listening) this.#server.close();
    for (const [socket, end] of [...this.#sockets].toReversed()) end(socket);
  }
}

/** Ends a socket or an HTTP/2 session. */
function endConnection(socket: Socket): void {
  if ('destroySoon' in socket) socket.destroySoon();
  else (socket as unknown as { close: () => void }).close();
}

function isWebSocket(request: unknown): boolean {
  return (request as IncomingMessage).headers.upgrade?.toLowerCase() === 'websocket';
}

/** The properties of a server that its options set. */
type ServerOptions = Server & {
  _connections: number;
  allowHalfOpen: boolean;
  noDelay: boolean;
  keepAlive: boolean;
  keepAliveInitialDelay: number;
};

/** Servers of HTTP, HTTPS and HTTP/2 have a time limit for idle connections. */
function isHttp(server: Server): boolean {
  return typeof Reflect.get(server, 'setTimeout') === 'function';
}
