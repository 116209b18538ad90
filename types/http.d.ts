/**
 * The default export of a module that serves HTTP, under `/<module>/` on every node. It can also be an app of Express, Koa or
 * Fastify, or an `http.Server`: see docs/http.md.
 *
 * @example
 * export default { fetch: app.fetch, websocket: { message: (peer, text) => peer.send(text) } } satisfies HttpModule;
 */
export interface HttpModule {
  /**
   * Answers one request. The request stays on the version that it started on until its response is sent. The module's name
   * is removed from the path (`/web/hello` is `/hello` here) and is in the header `x-forwarded-prefix`. The signal of the
   * request aborts when the client disconnects.
   */
  fetch(request: Request): Response | Promise<Response>;
  /** Accepts WebSocket connections. Without it, the response to an upgrade is 404. */
  readonly websocket?: WebSocketHooks;
}

/**
 * The hooks of crossws. The connection belongs to the node, and each event calls the hook of the version that is current
 * then. So a connection survives every swap. Keep the state of a connection in the peer's `context`, not in the module. An
 * error in a hook is logged and counted, and the connection stays open.
 */
export interface WebSocketHooks {
  /** Called before the connection opens. Return or throw a `Response` to refuse it. */
  upgrade?(request: Request): MaybePromise<Response | WebSocketAccepted | void>;
  open?(peer: WebSocketPeer): MaybePromise<void>;
  message?(peer: WebSocketPeer, message: WebSocketMessage): MaybePromise<void>;
  close?(peer: WebSocketPeer, details: { readonly code?: number; readonly reason?: string }): MaybePromise<void>;
  error?(peer: WebSocketPeer, error: Error): MaybePromise<void>;
}

export interface WebSocketAccepted {
  /** Headers of the response that opens the connection. */
  readonly headers?: Record<string, string>;
  /** The selected subprotocol. */
  readonly protocol?: string;
  /** The initial `context` of the peer. */
  readonly context?: Record<string, unknown>;
}

/** One connection. */
export interface WebSocketPeer {
  readonly id: string;
  /** The state of the connection. It survives every swap. */
  readonly context: Record<string, unknown>;
  readonly request: Request;
  /** Sends text, bytes, or an object as JSON. */
  send(data: unknown): unknown;
  close(code?: number, reason?: string): void;
  /** Topics belong to the module. They reach its connections on this node. */
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
  /** Sends to all other connections with this topic. */
  publish(topic: string, data: unknown): void;
}

export interface WebSocketMessage {
  text(): string;
  json(): unknown;
  uint8Array(): Uint8Array;
}

type MaybePromise<T> = T | Promise<T>;
