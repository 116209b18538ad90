import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, Server, type Socket } from 'node:net';

import { listen } from './listen.ts';
import { type ModuleHandler, handlerOf } from './module-handler.ts';
import { responseHeaders } from './response-headers.ts';
import { routeOf } from './route.ts';
import { type WebSocketDeps, webSockets } from './websockets.ts';
import { scriptName, type Version } from '../modules/version.ts';
import { readAhead } from './known-length.ts';
import { createRequest } from './request.ts';

/** Longer than the proxy keeps an idle connection, so that the node does not close one under a new request (milliseconds). */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;

/**
 * A server that stops keeps idle connections until no request came for this time (milliseconds), because one can be on its way.
 * While there is load, a proxy uses each of its connections, and each is closed with its next response.
 */
const QUIET_MS = 500;

export interface HttpDeps extends WebSocketDeps {
  /** 0 for a free port. */
  readonly port: number;
}

/** One request to a module, and its response. */
interface Exchange {
  readonly version: Version;
  readonly handler: ModuleHandler;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** As the client sent it: `/demo/events?…`. */
  readonly url: string;
  /** The part of the URL that the module sees. */
  readonly path: string;
  /** Resolves when the response is sent, or the client has disconnected. */
  readonly closed: Promise<void>;
}

export type HttpServer = Awaited<ReturnType<typeof startHttpServer>>;

/**
 * Serves the modules whose default export has `fetch`: each under `/<module>/`, with its current version. Resolves when the
 * server listens. It opens its port before it returns a promise.
 *
 * @throws UsageError see {@link listen}.
 */
export async function startHttpServer(deps: HttpDeps) {
  const { node, codeServer, port } = deps;
  const sockets = webSockets(deps);
  const connections = new Set<Socket>();
  /** The responses that are not sent, with their connections. */
  const inFlight = new Map<ServerResponse, Socket>();
  let stopping = false;
  let closesIdle = false;
  let lastRequestAt = 0;
  const server = createServer({
    // No limit for the duration of an upload.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
  });
  server.on('request', (incoming, outgoing) => void handle(incoming, outgoing));
  server.on('upgrade', (incoming, socket, head) => void sockets.upgrade(incoming, socket, head));
  server.on('connection', socket => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });

  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { url = '/', socket } = incoming;
    lastRequestAt = performance.now();
    inFlight.set(outgoing, socket);
    const closed = new Promise<void>(resolve => void outgoing.once('close', resolve));
    outgoing.once('close', () => {
      inFlight.delete(outgoing);
      if (closesIdle) closeIdle();
    });
    const route = routeOf(url);
    const resumed = route.to === 'module' ? codeServer.suspensions.untilResumed(route.module) : null;
    if (resumed !== null) await resumed;
    const version = route.to === 'module' ? codeServer.current(route.module) : null;
    outgoing.setHeaders(new Map(Object.entries(responseHeaders(node, version))));
    if (stopping) outgoing.setHeader('connection', 'close');
    if (route.to === 'node') return sendText(outgoing, stopping ? 503 : 200, page());
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
    await serve({ version, handler, incoming, outgoing, url, path, closed });
  };

  /**
   * Runs a request as a call. It ends when `fetch` has ended, and its response is sent or the client has disconnected. A
   * forced purge of the version closes its connection.
   */
  const serve = async (exchange: Exchange): Promise<void> => {
    const { version, incoming, outgoing, url, closed } = exchange;
    const { signal } = version.lifetime;
    const call = codeServer.beginCall(version, incoming.method ?? 'GET', url);
    let onAbort = (): void => undefined;
    // The module can end its streams on the same signal, in this turn of the event loop.
    const purged = new Promise<null>(resolve => (onAbort = () => void setImmediate(resolve, null)));
    signal.addEventListener('abort', onAbort, { once: true });
    const outcome = await Promise.race([respond(exchange, () => codeServer.returned(call)), purged]);
    if (outcome === null && !outgoing.writableEnded) outgoing.destroy();
    await closed;
    signal.removeEventListener('abort', onAbort);
    // A body that failed half-way has closed the connection.
    if (outcome === 'sent' && outgoing.errored !== null) report(version, outgoing.errored);
    codeServer.endCall(call, outcome === 'failed' || outgoing.errored !== null);
  };

  const respond = async (
    { version, handler, incoming, outgoing, path }: Exchange,
    onReturned: () => void,
  ): Promise<'sent' | 'failed'> => {
    let request: Request;
    try {
      request = await createRequest(incoming, version.module, path, outgoing);
    } catch (error) {
      sendText(outgoing, 400, error instanceof Error ? error.message : 'bad request');
      return 'sent';
    }
    // The client can have left while the request waited.
    if (outgoing.destroyed) return 'sent';
    // The unread part of an upload would block the next request of the connection.
    outgoing.once('finish', () => {
      if (!request.bodyUsed && !incoming.readableEnded) incoming.removeAllListeners('data').resume();
    });
    try {
      const response = await codeServer.run(version, null, () => handler.fetch(request));
      onReturned();
      if (!(response instanceof Response)) throw new TypeError('fetch returned no Response');
      await send(outgoing, response);
      return 'sent';
    } catch (error) {
      // A request without its client can fail; this is no error of the module.
      if (outgoing.destroyed || incoming.errored !== null) return 'sent';
      report(version, error);
      if (outgoing.headersSent) outgoing.destroy();
      else sendText(outgoing, 500, `module ${version.module} failed on node ${node}; its log says why`);
      return 'failed';
    }
  };

  const report = ({ log }: Version, error: unknown): void =>
    log.error(() => codeServer.errors.describe(error), 'error in fetch');

  /** The node's name, and a line for each module that it serves. */
  const page = (): string => {
    const versions = Object.keys(codeServer.describe()).flatMap(module => codeServer.current(module) ?? []);
    const served = versions.filter(version => handlerOf(version) !== null);
    return [node, ...served.map(version => `/${version.module}/ ${scriptName(version)}`)].join('\n');
  };

  /** The connections on which no request runs. */
  const idle = (): Socket[] => {
    const busy = new Set(inFlight.values());
    return [...connections].filter(socket => !busy.has(socket));
  };
  const closeIdle = (): void => {
    for (const socket of idle()) socket.destroySoon();
  };

  await listen(server, port);
  return {
    port: (server.address() as AddressInfo).port,
    /**
     * Stops accepting connections, and closes each open one after its next response, or when no more requests come, after at
     * most `timeoutMs` (milliseconds). Resolves when only requests in flight hold connections.
     */
    stop: async (timeoutMs: number): Promise<void> => {
      stopping = true;
      for (const outgoing of inFlight.keys()) if (!outgoing.headersSent) outgoing.setHeader('connection', 'close');
      sockets.closeAll();
      // Not close() of the HTTP server: it closes idle connections immediately, even if a request is on its way.
      Server.prototype.close.call(server);
      const deadline = performance.now() + timeoutMs;
      lastRequestAt = performance.now();
      while (idle().length > 0 && performance.now() < Math.min(deadline, lastRequestAt + QUIET_MS)) {
        await new Promise(resolve => setTimeout(resolve, 10));
      }
      closesIdle = true;
      closeIdle();
    },
    /** Closes the server and all connections. */
    [Symbol.asyncDispose]: async (): Promise<void> => {
      const open = server.listening || connections.size > 0;
      const closed = open ? once(server, 'close') : null;
      server.close();
      for (const socket of connections) socket.destroy();
      await closed;
    },
  };
}

/** Sends a response, with its length if that is known and the module has not said it. */
async function send(outgoing: ServerResponse, response: Response): Promise<void> {
  const { sendNodeResponse } = await import('srvx/node');
  const { body, status, statusText, headers } = response;
  if (body === null || body.locked || headers.has('content-length') || headers.has('transfer-encoding')) {
    return sendNodeResponse(outgoing, response);
  }
  const read = await readAhead(body);
  if (read.status === 'stream') {
    return sendNodeResponse(outgoing, new Response(read.body, { status, statusText, headers }));
  }
  // What HTTP/1.1 does not allow in a status line is left out, as srvx does.
  const reason = statusText.replaceAll(/[^\t\u0020-\u007E]/g, '');
  for (const [name, value] of headers) {
    if (name === 'set-cookie') outgoing.appendHeader(name, value);
    else outgoing.setHeader(name, value);
  }
  outgoing.writeHead(status, reason, { 'content-length': read.bytes });
  outgoing.end(Buffer.concat(read.chunks));
}

function sendText(outgoing: ServerResponse, status: number, text: string): void {
  outgoing.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}
