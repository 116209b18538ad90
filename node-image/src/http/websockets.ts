import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

import type { NodeAdapter } from 'crossws/adapters/node';

import type { CodeServer } from '../modules/code-server.ts';
import { type FetchHandler, handlerOf, type SocketHook } from './module-handler.ts';
import { responseOf } from './response-of.ts';
import { responseHeaders } from './response-headers.ts';
import { routeOf } from './route.ts';
import type { Version } from '../modules/version.ts';
import { isPromise } from './is-promise.ts';
import { removeModule } from './request.ts';
import { PREFIX_HEADER } from './web/incoming-headers.ts';
import { IncomingRequest } from './web/incoming-request.ts';
import { linkWebClasses } from './web/install.ts';
import { STATUS_CODES } from './web/node-http.ts';
import { serverUpgrades } from './server-upgrades.ts';

/** Going away (RFC 6455, 7.4.1). */
const GOING_AWAY = 1001;

export interface WebSocketDeps {
  readonly node: string;
  readonly codeServer: CodeServer;
}

/** The value of a hook when the current version does not accept connections, and of a hook that threw. */
const NOT_ACCEPTED = Symbol('not accepted');
const FAILED = Symbol('failed');

/** What a module's `upgrade` returns to accept a connection. It returns a `Response` to refuse one. */
interface Accepted {
  readonly headers?: ConstructorParameters<typeof Headers>[0];
  readonly protocol?: string;
  readonly context?: Record<string, unknown>;
}

/** The part of crossws's peer that is used here. */
interface Peer {
  readonly namespace: string;
  close(code: number, reason: string): void;
}

/**
 * The WebSocket connections of the node. Those of a module with `websocket` belong to the node, and each event goes to the version that is current then.
 * So a connection survives every swap and keeps no version alive. The hooks are those of crossws (`upgrade`, `open`,
 * `message`, `close`, `error`); topics reach the module's connections on this node.
 */
export function webSockets({ node, codeServer }: WebSocketDeps) {
  let adapter: NodeAdapter | null = null;
  const servers = serverUpgrades(codeServer);

  /** Logs what a hook threw, and returns its value. `upgrade` can refuse a connection with a thrown `Response`, as in crossws. */
  const valueOfError = (version: Version, hook: SocketHook, error: unknown): unknown => {
    const response = hook === 'upgrade' ? responseOf(error) : null;
    if (response !== null) return response;
    version.log.error(() => codeServer.errors.describe(error), `error in websocket ${hook}`);
    return FAILED;
  };

  /**
   * Runs a hook of a version. A promise that it returns is a call, which a swap waits for; a hook that returns at once, as most do
   * for a message, is only counted.
   */
  const callHook = (version: Version | null, hook: SocketHook, ...args: unknown[]): unknown => {
    const websocket = version === null ? null : websocketOf(version);
    if (version === null || websocket === null) return NOT_ACCEPTED;
    const startedAt = codeServer.startOfCall();
    let value: unknown;
    try {
      const found = websocket[hook];
      if (typeof found === 'function') {
        value = codeServer.serve(version, found as (...all: unknown[]) => unknown, websocket, ...args);
      }
    } catch (error) {
      value = valueOfError(version, hook, error);
    }
    if (!isPromise(value)) {
      codeServer.countCall(version, value === FAILED, startedAt, null);
      return value;
    }
    const call = codeServer.beginCall(version, 'WebSocket', `/${version.module}/ ${hook}`);
    call.startedAt = startedAt;
    const end = (settled: unknown): unknown => {
      codeServer.endCall(call, settled === FAILED);
      return settled;
    };
    return value.then(end, (error: unknown) => end(valueOfError(version, hook, error)));
  };

  const accept = async (request: Request): Promise<Response | (Accepted & { namespace: string; headers: Headers })> => {
    const module = request.headers.get(PREFIX_HEADER)?.slice(1) ?? '';
    const resumed = codeServer.suspensions.untilResumed(module);
    if (resumed !== null) await resumed;
    const version = codeServer.current(module);
    const nodeHeaders = responseHeaders(node, version);
    const value = await callHook(version, 'upgrade', request);
    if (value === FAILED)
      return refusal(new Response(`module ${module} failed on node ${node}\n`, { status: 500 }), nodeHeaders);
    if (value === NOT_ACCEPTED) return refusal(new Response(null, { status: 404 }), nodeHeaders);
    const response = responseOf(value);
    if (response !== null) return refusal(response, nodeHeaders);
    const { headers, protocol, context } = (value ?? {}) as Accepted;
    return {
      namespace: module,
      headers: withHeaders(headers, nodeHeaders),
      ...(protocol === undefined ? {} : { protocol }),
      ...(context === undefined ? {} : { context }),
    };
  };

  const event = (hook: SocketHook) => {
    const take = (peer: Peer, payload: unknown): void => {
      const module = peer.namespace;
      const value = callHook(codeServer.current(module), hook, peer, payload);
      if (value === NOT_ACCEPTED && hook !== 'close') peer.close(GOING_AWAY, `${module} accepts no connections`);
    };
    return (peer: Peer, payload?: unknown): void => {
      const resumed = codeServer.suspensions.untilResumed(peer.namespace);
      if (resumed === null) take(peer, payload);
      else void resumed.then(() => take(peer, payload));
    };
  };

  /** The first connection loads crossws and ws: most nodes have none. */
  const createAdapter = async (): Promise<NodeAdapter> => {
    const { default: nodeAdapter } = await import('crossws/adapters/node');
    const hooks = { open: event('open'), message: event('message'), close: event('close'), error: event('error') };
    return nodeAdapter({ hooks: { upgrade: accept, ...hooks } });
  };

  /** Upgrades a request to a connection, or refuses it. Never rejects. */
  const upgrade = async (incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    socket.on('error', () => undefined); // The socket closes, and the `close` hook is called.
    const route = routeOf(incoming.url ?? '/');
    if (route.to !== 'module') return refuse(socket, 404, node, 'the path does not start with a module name');
    const { module, path } = route;
    const resumed = codeServer.suspensions.untilResumed(module);
    if (resumed !== null) await resumed;
    const version = codeServer.current(module);
    if (version === null) return refuse(socket, 404, node, `module ${module} is not loaded on node ${node}`);
    const handler = handlerOf(version);
    if (handler?.kind === 'server') removeModule(incoming, module, path);
    if (handler?.kind === 'server' && (await servers.passOn(version, handler, [incoming, socket, head]))) return;
    if (handler?.kind !== 'fetch' || handler.websocket === null) {
      return refuse(socket, 404, node, `module ${module} on node ${node} accepts no WebSocket connections`);
    }
    try {
      linkWebClasses();
      adapter ??= await createAdapter();
      const request = new IncomingRequest(incoming, module, path) as unknown as Request;
      await adapter.handleUpgrade(incoming, socket, head, request);
    } catch (error) {
      refuse(socket, 400, node, error instanceof Error ? error.message : 'bad request');
    }
  };

  /** Closes all connections with the code that tells clients to connect to another node. */
  const closeAll = (): void => adapter?.closeAll(GOING_AWAY, 'the node stops');

  return { upgrade, closeAll, isOfVersion: servers.has };
}

function websocketOf(version: Version): FetchHandler['websocket'] {
  const handler = handlerOf(version);
  return handler?.kind === 'fetch' ? handler.websocket : null;
}

/** A refusal of the module, with the headers of every response. */
function refusal({ status, statusText, headers, body }: Response, nodeHeaders: Record<string, string>): Response {
  return new Response(body, {
    status,
    statusText,
    headers: withHeaders(headers, { ...nodeHeaders, connection: 'close' }),
  });
}

function withHeaders(headers: Accepted['headers'], more: Record<string, string>): Headers {
  const all = new Headers(headers);
  for (const [name, value] of Object.entries(more)) all.set(name, value);
  return all;
}

function refuse(socket: Duplex, status: number, node: string, text: string): void {
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...Object.entries(responseHeaders(node, null)).map(header => header.join(': ')),
    'content-type: text/plain; charset=utf-8',
    'connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${text}\n`);
}
