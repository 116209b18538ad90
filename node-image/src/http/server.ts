import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, Server } from 'node:net';

import { type ModuleHandler, handlerOf } from './handler.ts';
import { responseHeaders } from './response-headers.ts';
import { routeOf } from './route.ts';
import { type WebSocketParts, WebSockets } from './websockets.ts';
import { scriptName, type Version } from '../modules/version.ts';
import { createRequest } from './request.ts';

/** Longer than the proxy keeps a connection that nobody uses: who closes first may close under a request. */
const KEEP_ALIVE = 75_000;

export interface HttpParts extends WebSocketParts {
  /** 0 for one that is free. */
  readonly port: number;
}

/** Serves the modules whose default export has `fetch`, each under `/<module>/` and by its current version. */
export class HttpServer {
  readonly #parts: HttpParts;
  readonly #sockets: WebSockets;
  readonly #server = createServer({
    // An upload may take as long as it takes.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE,
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
  });
  #connections = 0;
  #stopping = false;

  private constructor(parts: HttpParts) {
    this.#parts = parts;
    this.#sockets = new WebSockets(parts);
    this.#server.on('request', (incoming, outgoing) => void this.#answer(incoming, outgoing));
    this.#server.on('upgrade', (incoming, socket, head) => void this.#sockets.upgrade(incoming, socket, head));
    this.#server.on('connection', socket => {
      this.#connections += 1;
      socket.once('close', () => (this.#connections -= 1));
    });
  }

  /** Resolves when it listens. */
  static async start(parts: HttpParts): Promise<HttpServer> {
    const http = new HttpServer(parts);
    http.#server.listen(parts.port);
    await once(http.#server, 'listening');
    return http;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Open connections, of which each may bring another request. */
  get connections(): number {
    return this.#connections;
  }

  /** Takes no more connections, and ends each that is there with the next response that it carries. */
  stop(): void {
    this.#stopping = true;
    this.#sockets.closeAll();
    // Not the HTTP server's own: it closes at once what is idle, also where a request is already on its way.
    Server.prototype.close.call(this.#server);
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { node, codeServer } = this.#parts;
    const route = routeOf(incoming.url ?? '/');
    const version = route.to === 'module' ? codeServer.current(route.module) : null;
    outgoing.setHeaders(new Map(Object.entries(responseHeaders(node, version))));
    if (this.#stopping) outgoing.setHeader('connection', 'close');
    if (route.to === 'node') return say(outgoing, this.#stopping ? 503 : 200, this.#page());
    if (route.to === 'nowhere') return say(outgoing, 404, `no module is called ${JSON.stringify(route.part)}`);
    const { module, path, folder } = route;
    if (version === null) return say(outgoing, 404, `module ${module} is not loaded on node ${node}`);
    const handler = handlerOf(version);
    if (handler === null) {
      return say(outgoing, 404, `module ${module} on node ${node} has no default export with fetch`);
    }
    if (folder !== null && (incoming.method === 'GET' || incoming.method === 'HEAD')) {
      return void outgoing.writeHead(308, { location: folder }).end();
    }
    let request: Request;
    try {
      request = await createRequest(incoming, module, path, outgoing);
    } catch (error) {
      return say(outgoing, 400, error instanceof Error ? error.message : 'bad request');
    }
    await this.#serve(version, handler, request, incoming, outgoing);
  }

  /**
   * A request is a call: in flight until `fetch` has ended, and its response is sent or the client is gone. A forced
   * purge of the version cuts it off.
   */
  async #serve(
    version: Version,
    handler: ModuleHandler,
    request: Request,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ): Promise<void> {
    const { codeServer } = this.#parts;
    const { signal } = version.lifetime;
    const closed = new Promise<void>(resolve => void outgoing.once('close', resolve));
    // What the module has left of an upload would be in the way of the connection's next request.
    outgoing.once('finish', () => {
      if (!request.bodyUsed && !incoming.readableEnded) incoming.removeAllListeners('data').resume();
    });
    const call = codeServer.callBegan(version);
    let cutOff = (): void => undefined;
    // The module may end its streams by the same signal, and gets this turn of the event loop for it.
    const purged = new Promise<null>(resolve => (cutOff = () => void setImmediate(resolve, null)));
    signal.addEventListener('abort', cutOff, { once: true });
    const answered = this.#respond(version, handler, request, incoming, outgoing);
    const outcome = await Promise.race([answered, purged]);
    if (outcome === null && !outgoing.writableEnded) outgoing.destroy();
    await closed;
    signal.removeEventListener('abort', cutOff);
    // A body that fails half-way has ended the connection, so that the client sees it too.
    if (outcome === 'answered' && outgoing.errored !== null) this.#report(version, outgoing.errored);
    codeServer.callEnded(call, outcome === 'failed' || outgoing.errored !== null);
  }

  async #respond(
    version: Version,
    handler: ModuleHandler,
    request: Request,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ): Promise<'answered' | 'failed'> {
    const { codeServer } = this.#parts;
    try {
      const response = await codeServer.run(version, null, () => handler.fetch(request));
      if (!(response instanceof Response)) throw new TypeError('fetch gave no Response');
      const { sendNodeResponse } = await import('srvx/node');
      await sendNodeResponse(outgoing, response);
      return 'answered';
    } catch (error) {
      // Without its client a request may well fail.
      if (outgoing.destroyed || incoming.errored !== null) return 'answered';
      this.#report(version, error);
      if (outgoing.headersSent) outgoing.destroy();
      else say(outgoing, 500, `module ${version.module} failed on node ${this.#parts.node}; its log says why`);
      return 'failed';
    }
  }

  #report({ log }: Version, error: unknown): void {
    log.error(() => this.#parts.codeServer.describeError(error), 'error in fetch');
  }

  /** The node's name, and a line for each module that is served. */
  #page(): string {
    const { codeServer, node } = this.#parts;
    const versions = Object.keys(codeServer.describe()).map(module => codeServer.current(module));
    const served = versions.filter(version => version !== null && handlerOf(version) !== null);
    return [node, ...served.map(version => `/${version?.module}/ ${version && scriptName(version)}`)].join('\n');
  }
}

function say(outgoing: ServerResponse, status: number, text: string): void {
  outgoing.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}
