import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, Server, type Socket } from 'node:net';

import { removeRecent } from '../../../shared/remove-recent.ts';
import { Outgoing } from './exchange.ts';
import { listen } from './listen.ts';
import { healthChecks } from './health-checks.ts';
import { handlerOf } from './module-handler.ts';
import { isObserved } from './observed.ts';
import { passOn } from './pass-on.ts';
import { headersOf } from './response-headers.ts';
import { type Route, routeOf } from './route.ts';
import { isSent, sendText } from './send-response.ts';
import { serveFetch } from './serve-fetch.ts';
import { Incoming } from './web/incoming-message.ts';
import { createServer } from './web/node-http.ts';
import { type WebSocketDeps, webSockets } from './websockets.ts';
import { scriptName } from '../modules/version.ts';

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

export type HttpServer = Awaited<ReturnType<typeof startHttpServer>>;

/**
 * Serves the modules whose default export has `fetch`, or is a server or an app: each under `/<module>/`, with its current
 * version. Resolves when the server listens. It opens its port before it returns a promise.
 *
 * @throws UsageError see {@link listen}.
 */
export async function startHttpServer(deps: HttpDeps) {
  const { node, codeServer, port } = deps;
  const sockets = webSockets(deps);
  const connections = new Set<Socket>();
  /** The responses that are not sent. */
  const inFlight: Outgoing[] = [];
  const checks = healthChecks();
  let isChecked = false;
  let stopping = false;
  let closesIdle = false;
  let lastRequestAt = 0;
  const server = createServer({
    IncomingMessage: Incoming,
    ServerResponse: Outgoing,
    // No limit for the duration of an upload.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
  });
  server.on('request', (incoming, outgoing) => begin(incoming, outgoing));
  server.on('upgrade', (incoming, socket, head) => void sockets.upgrade(incoming, socket, head));
  server.on('connection', socket => {
    connections.add(socket);
    socket.on('close', forget);
  });

  // One function for all: each connection and each response has it as a listener.
  function forget(this: Socket): void {
    connections.delete(this);
  }

  function onClosed(this: Outgoing): void {
    removeRecent(inFlight, this);
    this.exchange?.closed();
    if (closesIdle) closeIdle();
  }

  const track = (outgoing: Outgoing): void => {
    inFlight.push(outgoing);
    outgoing.on('close', onClosed);
  };

  const begin = (incoming: Incoming, outgoing: Outgoing): void => {
    const { url = '/' } = incoming;
    const route = routeOf(url);
    if (stopping && !isCheck(incoming, route)) lastRequestAt = performance.now();
    const resumed = route.to === 'module' ? codeServer.suspensions.untilResumed(route.module) : null;
    if (resumed === null) {
      handle(incoming, outgoing, url, route);
      // Most responses are sent by now. The events of the others come in a later turn.
      if (outgoing.exchange !== null || !isSent(outgoing)) track(outgoing);
      return;
    }
    track(outgoing);
    const resume = async (): Promise<void> => {
      await resumed;
      // The client can have left while the request waited.
      if (!outgoing.destroyed) handle(incoming, outgoing, url, route);
    };
    void resume();
  };

  const handle = (incoming: Incoming, outgoing: Outgoing, url: string, route: Route): void => {
    const version = route.to === 'module' ? codeServer.current(route.module) : null;
    const ofNode = headersOf(node, version);
    const headers = stopping ? [...ofNode, 'connection', 'close'] : ofNode;
    const say = (status: number, text: string): void => sendText(outgoing, status, text, headers);
    if (route.to === 'node') {
      const isRefused = isCheck(incoming, route) && (!checks.ask(incoming.socket.remoteAddress ?? '') || stopping);
      return say(isRefused ? 503 : 200, page());
    }
    if (route.to === 'nowhere') return say(404, `no module is called ${JSON.stringify(route.part)}`);
    const { module, path, folder } = route;
    if (version === null) return say(404, `module ${module} is not loaded on node ${node}`);
    const handler = handlerOf(version);
    if (handler === null) return say(404, `module ${module} on node ${node} has no default export that serves HTTP`);
    if (folder !== null && (incoming.method === 'GET' || incoming.method === 'HEAD')) {
      return void outgoing.writeHead(308, [...headers, 'location', folder]).end();
    }
    const target = { version, incoming, outgoing, headers, isObserved: isObserved(server) };
    if (handler.kind === 'fetch') return serveFetch(deps, target, handler, path, url);
    if (handler.server.listenerCount('request') > 0) return void passOn(deps, target, handler, path, url);
    say(404, `module ${module} on node ${node} takes no HTTP requests`);
  };

  /** The node's name, and a line for each module that it serves. */
  const page = (): string => {
    const versions = Object.keys(codeServer.describe()).flatMap(module => codeServer.current(module) ?? []);
    const served = versions.filter(version => handlerOf(version) !== null);
    return [node, ...served.map(version => `/${version.module}/ ${scriptName(version)}`)].join('\n');
  };

  /** The connections on which no request runs. Those that a version has upgraded end with it. */
  const idle = (): Socket[] => {
    const busy = new Set(inFlight.map(({ req }) => req.socket));
    return [...connections].filter(socket => !busy.has(socket) && !sockets.isOfVersion(socket));
  };
  const closeIdle = (): void => {
    for (const socket of idle()) socket.destroySoon();
  };

  const closeListener = (): void => {
    // Not close() of the HTTP server: it closes idle connections immediately, even if a request is on its way.
    if (server.listening) Server.prototype.close.call(server);
  };

  await listen(server, { port });
  return {
    port: (server.address() as AddressInfo).port,
    /**
     * Answers health checks with 503, and serves all other requests. Resolves when the proxies that check the node send it no
     * more requests, after at most `timeoutMs` (milliseconds), and immediately if none does.
     */
    withdraw: async (timeoutMs: number): Promise<void> => {
      isChecked = await checks.refuse(timeoutMs);
    },
    /**
     * Stops accepting connections, and closes each open one after its next response, or when no more requests come, after at
     * most `timeoutMs` (milliseconds). Resolves when only requests in flight hold connections.
     */
    stop: async (timeoutMs: number): Promise<void> => {
      stopping = true;
      for (const outgoing of inFlight) if (!outgoing.headersSent) outgoing.setHeader('connection', 'close');
      sockets.closeAll();
      // A proxy that was told can be late. What it has connected and the node has not accepted would be reset.
      if (!isChecked) closeListener();
      const deadline = performance.now() + timeoutMs;
      lastRequestAt = performance.now();
      while (
        (server.listening || idle().length > 0) &&
        performance.now() < Math.min(deadline, lastRequestAt + QUIET_MS)
      ) {
        await new Promise(resolve => setTimeout(resolve, 10));
      }
      closeListener();
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

/** Whether a request is the health check of a proxy: it is for the node's page, and no client has sent it. */
function isCheck({ headers }: IncomingMessage, route: Route): boolean {
  return route.to === 'node' && headers['x-forwarded-for'] === undefined;
}
