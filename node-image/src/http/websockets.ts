import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

import type { NodeAdapter } from 'crossws/adapters/node';

import type { CodeServer } from '../modules/code-server.ts';
import type { Logger } from '../../../shared/logger.ts';
import { handlerOf, type SocketHook } from './handler.ts';
import { responseHeaders } from './response-headers.ts';
import { routeOf } from './route.ts';
import type { Version } from '../modules/version.ts';
import { PREFIX, createRequest } from './request.ts';

/** Going away (RFC 6455, 7.4.1). */
const GOING_AWAY = 1001;

export interface WebSocketParts {
  readonly node: string;
  readonly codeServer: CodeServer;
  readonly log: Logger;
}

/** Given for a hook when the module, or its new version, takes no connections. */
const NOT_OFFERED = Symbol('not offered');

/** What a module's `upgrade` may give beside a `Response`, which refuses. */
interface Accepted {
  readonly headers?: ConstructorParameters<typeof Headers>[0];
  readonly protocol?: string;
  readonly context?: Record<string, unknown>;
}

/** The part of a crossws peer that is used here. */
interface Peer {
  readonly namespace: string;
  close(code: number, reason: string): void;
}

/**
 * The WebSocket connections of the node. The node owns them and each event goes to the version that is current then, so
 * a connection outlives every swap and pins no version. The hooks are those of crossws (`upgrade`, `open`, `message`,
 * `close`, `error`); topics reach the module's connections on this node.
 */
export class WebSockets {
  readonly #parts: WebSocketParts;
  #adapter: NodeAdapter | null = null;

  constructor(parts: WebSocketParts) {
    this.#parts = parts;
  }

  /** Makes a connection of a request, or refuses it; never rejects. */
  async upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { node, codeServer } = this.#parts;
    socket.on('error', () => undefined); // It is closed then, and that is told.
    const route = routeOf(incoming.url ?? '/');
    if (route.to !== 'module') return refuse(socket, 404, node, 'no module is called so');
    const { module, path } = route;
    const version = codeServer.current(module);
    if (version === null) return refuse(socket, 404, node, `module ${module} is not loaded on node ${node}`);
    if (!handlerOf(version)?.websocket) {
      return refuse(socket, 404, node, `module ${module} on node ${node} takes no WebSocket connections`);
    }
    try {
      this.#adapter ??= await this.#makeAdapter();
      await this.#adapter.handleUpgrade(incoming, socket, head, await createRequest(incoming, module, path));
    } catch (error) {
      refuse(socket, 400, node, error instanceof Error ? error.message : 'bad request');
    }
  }

  /** Tells all clients that the node goes away; they find another one when they connect again. */
  closeAll(): void {
    this.#adapter?.closeAll(GOING_AWAY, 'the node stops');
  }

  /** crossws and its ws are loaded by the first connection: most nodes have none. */
  async #makeAdapter(): Promise<NodeAdapter> {
    const { default: nodeAdapter } = await import('crossws/adapters/node');
    const event = (hook: SocketHook) => (peer: Peer, what?: unknown) => this.#event(hook, peer, what);
    return nodeAdapter({
      hooks: {
        upgrade: request => this.#accept(request),
        open: event('open'),
        message: event('message'),
        close: event('close'),
        error: event('error'),
      },
    });
  }

  async #accept(request: Request): Promise<Response | (Accepted & { namespace: string; headers: Headers })> {
    const { node, codeServer } = this.#parts;
    const module = request.headers.get(PREFIX)?.slice(1) ?? '';
    const version = codeServer.current(module);
    const own = responseHeaders(node, version);
    const { ok, value } = await this.#call(version, 'upgrade', request);
    if (!ok) return refusal(new Response(`module ${module} failed on node ${node}\n`, { status: 500 }), own);
    if (value === NOT_OFFERED) return refusal(new Response(null, { status: 404 }), own);
    if (value instanceof Response) return refusal(value, own);
    const { headers, protocol, context } = (value ?? {}) as Accepted;
    return {
      namespace: module,
      headers: withHeaders(headers, own),
      ...(protocol === undefined ? {} : { protocol }),
      ...(context === undefined ? {} : { context }),
    };
  }

  async #event(hook: SocketHook, peer: Peer, what: unknown): Promise<void> {
    const version = this.#parts.codeServer.current(peer.namespace);
    const { ok, value } = await this.#call(version, hook, peer, what);
    if (ok && value === NOT_OFFERED && hook !== 'close')
      peer.close(GOING_AWAY, `${peer.namespace} takes no connections`);
  }

  /** Calls a hook of a version: a call in flight until it has ended. What it throws is counted and logged. */
  async #call(
    version: Version | null,
    hook: SocketHook,
    ...args: unknown[]
  ): Promise<{ ok: boolean; value?: unknown }> {
    const { codeServer } = this.#parts;
    if (version === null) return { ok: true, value: NOT_OFFERED };
    const call = codeServer.callBegan(version);
    let ok = false;
    try {
      const handler = handlerOf(version)?.websocket;
      const value = handler ? await codeServer.run(version, null, () => handler(hook, ...args)) : NOT_OFFERED;
      ok = true;
      return { ok, value };
    } catch (error) {
      // crossws's way to refuse.
      if (hook === 'upgrade' && error instanceof Response) {
        ok = true;
        return { ok, value: error };
      }
      version.log.error(() => codeServer.describeError(error), `error in websocket ${hook}`);
      return { ok };
    } finally {
      codeServer.callEnded(call, !ok);
    }
  }
}

/** The module's own refusal, with the headers of every response. */
function refusal({ status, statusText, headers, body }: Response, own: Record<string, string>): Response {
  return new Response(body, { status, statusText, headers: withHeaders(headers, { ...own, connection: 'close' }) });
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
