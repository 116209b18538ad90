import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, Server, type Socket } from 'node:net';

import { type ModuleHandler, handlerOf } from './module-handler.ts';
import { responseHeaders } from './response-headers.ts';
import { routeOf } from './route.ts';
import { type WebSocketDeps, WebSockets } from './websockets.ts';
import { scriptName, type Version } from '../modules/version.ts';
import { createRequest } from './request.ts';

/** Longer than the proxy keeps an idle connection, so that the node does not close one under a new request (milliseconds). */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;

export interface HttpDeps extends WebSocketDeps {
  /** 0 for a free port. */
  readonly port: number;
}

/** One request to a module, and its response. */
interface Exchange {
  readonly version: Version;
  readonly handler: ModuleHandler;
  readonly request: Request;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/** Serves the modules whose default export has `fetch`: each under `/<module>/`, with its current version. */
export class HttpServer implements AsyncDisposable {
  readonly #deps: HttpDeps;
  readonly #sockets: WebSockets;
  readonly #server = createServer({
    // No limit for the duration of an upload.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
  });
  readonly #connections = new Set<Socket>();
  #stopping = false;

  private constructor(deps: HttpDeps) {
    this.#deps = deps;
    this.#sockets = new WebSockets(deps);
    this.#server.on('request', (incoming, outgoing) => void this.#handle(incoming, outgoing));
    this.#server.on('upgrade', (incoming, socket, head) => void this.#sockets.upgrade(incoming, socket, head));
    this.#server.on('connection', socket => {
      this.#connections.add(socket);
      socket.once('close', () => this.#connections.delete(socket));
    });
  }

  /** Resolves when the server listens. */
  static async start(deps: HttpDeps): Promise<HttpServer> {
    const http = new HttpServer(deps);
    http.#server.listen(deps.port);
    await once(http.#server, 'listening');
    return http;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The number of open connections. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Stops accepting connections, and closes each open connection after its next response. */
  stop(): void {
    this.#stopping = true;
    this.#sockets.closeAll();
    // Not close() of the HTTP server: it closes idle connections immediately, even if a request is on its way.
    Server.prototype.close.call(this.#server);
  }

  /** Closes the server and all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    const open = this.#server.listening || this.#connections.size > 0;
    const closed = open ? once(this.#server, 'close') : null;
    this.#server.close();
    for (const socket of this.#connections) socket.destroy();
    await closed;
  }

  async #handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { node, codeServer } = this.#deps;
    const route = routeOf(incoming.url ?? '/');
    const version = route.to === 'module' ? codeServer.current(route.module) : null;
    outgoing.setHeaders(new Map(Object.entries(responseHeaders(node, version))));
    if (this.#stopping) outgoing.setHeader('connection', 'close');
    if (route.to === 'node') return sendText(outgoing, this.#stopping ? 503 : 200, this.#page());
    if (route.to === 'nowhere') return sendText(outgoing, 404, `no module is called ${JSON.stringify(route.part)}`);
    const { module, path, folder } = route;
    if (version === null) return sendText(outgoing, 404, `module ${module} is not loaded on node ${node}`);
    const handler = handlerOf(version);
    if (handler === null) {
      return sendText(outgoing, 404, `module ${module} on node ${node} has no default export with fetch`);
    }
    if (folder !== null && (incoming.method === 'GET' || incoming.method === 'HEAD')) {
      return void outgoing.writeHead(308, { location: folder }).end();
    }
    let request: Request;
    try {
      request = await createRequest(incoming, module, path, outgoing);
    } catch (error) {
      return sendText(outgoing, 400, error instanceof Error ? error.message : 'bad request');
    }
    await this.#serve({ version, handler, request, incoming, outgoing });
  }

  /**
   * Runs a request as a call. It ends when `fetch` has ended, and its response is sent or the client has disconnected. A
   * forced purge of the version closes its connection.
   */
  async #serve(exchange: Exchange): Promise<void> {
    const { codeServer } = this.#deps;
    const { version, request, incoming, outgoing } = exchange;
    const { signal } = version.lifetime;
    const closed = new Promise<void>(resolve => void outgoing.once('close', resolve));
    // The unread part of an upload would block the next request of the connection.
    outgoing.once('finish', () => {
      if (!request.bodyUsed && !incoming.readableEnded) incoming.removeAllListeners('data').resume();
    });
    const call = codeServer.beginCall(version);
    let onAbort = (): void => undefined;
    // The module can end its streams on the same signal, in this turn of the event loop.
    const purged = new Promise<null>(resolve => (onAbort = () => void setImmediate(resolve, null)));
    signal.addEventListener('abort', onAbort, { once: true });
    const sent = this.#respond(exchange);
    const outcome = await Promise.race([sent, purged]);
    if (outcome === null && !outgoing.writableEnded) outgoing.destroy();
    await closed;
    signal.removeEventListener('abort', onAbort);
    // A body that failed half-way has closed the connection.
    if (outcome === 'sent' && outgoing.errored !== null) this.#report(version, outgoing.errored);
    codeServer.endCall(call, outcome === 'failed' || outgoing.errored !== null);
  }

  async #respond({ version, handler, request, incoming, outgoing }: Exchange): Promise<'sent' | 'failed'> {
    const { codeServer } = this.#deps;
    try {
      const response = await codeServer.run(version, null, () => handler.fetch(request));
      if (!(response instanceof Response)) throw new TypeError('fetch returned no Response');
      const { sendNodeResponse } = await import('srvx/node');
      await sendNodeResponse(outgoing, response);
      return 'sent';
    } catch (error) {
      // A request without its client can fail; this is no error of the module.
      if (outgoing.destroyed || incoming.errored !== null) return 'sent';
      this.#report(version, error);
      if (outgoing.headersSent) outgoing.destroy();
      else sendText(outgoing, 500, `module ${version.module} failed on node ${this.#deps.node}; its log says why`);
      return 'failed';
    }
  }

  #report({ log }: Version, error: unknown): void {
    log.error(() => this.#deps.codeServer.errors.describe(error), 'error in fetch');
  }

  /** The node's name, and a line for each module that it serves. */
  #page(): string {
    const { codeServer, node } = this.#deps;
    const versions = Object.keys(codeServer.describe()).map(module => codeServer.current(module));
    const served = versions.filter(version => version !== null && handlerOf(version) !== null);
    return [node, ...served.map(version => `/${version?.module}/ ${version && scriptName(version)}`)].join('\n');
  }
}

function sendText(outgoing: ServerResponse, status: number, text: string): void {
  outgoing.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}
