/**
 * What a module serves by HTTP, under `/<module>/` on every node: its default export.
 *
 * @example
 * export default { fetch: app.fetch, websocket: { message: (peer, text) => peer.send(text) } } satisfies HttpModule;
 */
export interface HttpModule {
  /**
   * Answers one request, and stays on the version that it began on until its response is sent. The module's name is
   * taken off the path (`/web/hello` is `/hello` here), and is in the header `x-forwarded-prefix`. The signal of the
   * request aborts when the client goes away.
   */
  fetch(request: Request): Response | Promise<Response>;
  /** Offers WebSocket connections. Without it, an upgrade is answered with 404. */
  readonly websocket?: WebSocketHooks;
}

/**
 * The hooks of crossws. The node owns the connection and calls the hook of the version that is current at each event:
 * a connection survives every swap. So keep nothing in the module that belongs to a connection; keep it in the
 * peer's `context`. What a hook throws is logged and counted, and the connection stays open.
 */
export interface WebSocketHooks {
  /** Before the connection: give or throw a `Response` to refuse it. */
  upgrade?(request: Request): MaybePromise<Response | WebSocketAccepted | void>;
  open?(peer: WebSocketPeer): MaybePromise<void>;
  message?(peer: WebSocketPeer, message: WebSocketMessage): MaybePromise<void>;
  close?(peer: WebSocketPeer, details: { readonly code?: number; readonly reason?: string }): MaybePromise<void>;
  error?(peer: WebSocketPeer, error: Error): MaybePromise<void>;
}

export interface WebSocketAccepted {
  /** Headers of the response that opens the connection. */
  readonly headers?: Record<string, string>;
  /** The subprotocol that was chosen. */
  readonly protocol?: string;
  /** What the peer's `context` starts with. */
  readonly context?: Record<string, unknown>;
}

/** One connection. */
export interface WebSocketPeer {
  readonly id: string;
  /** Belongs to the connection, and survives every swap. */
  readonly context: Record<string, unknown>;
  readonly request: Request;
  /** Text, bytes, or an object that is sent as JSON. */
  send(data: unknown): unknown;
  close(code?: number, reason?: string): void;
  /** Topics are the module's own, and reach its connections on this node. */
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
  /** Sends to all other connections that have subscribed. */
  publish(topic: string, data: unknown): void;
}

export interface WebSocketMessage {
  text(): string;
  json(): unknown;
  uint8Array(): Uint8Array;
}

type MaybePromise<T> = T | Promise<T>;
