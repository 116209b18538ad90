import { EventEmitter, once } from 'node:events';

import WebSocket from 'crossws/websocket';

/** The timeout for a message (milliseconds). */
const TIMEOUT_MS = 20_000;

/** A WebSocket client that returns the received messages in order. */
export class WebSocketClient {
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #socket: WebSocket;
  readonly #received: string[] = [];
  readonly #events = new EventEmitter();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      this.#received.push(String(data));
      this.#events.emit('message');
    });
    this.closed = new Promise(resolve => {
      socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason }));
    });
  }

  /** Resolves when the connection is open. */
  static async open(url: string): Promise<WebSocketClient> {
    const socket = new WebSocket(url);
    const client = new WebSocketClient(socket);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', () => reject(new Error(`${url} does not open`)));
    });
    return client;
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  /** The next received message. */
  async next(): Promise<string> {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    for (;;) {
      const message = this.#received.shift();
      if (message !== undefined) return message;
      await once(this.#events, 'message', { signal });
    }
  }

  /** Sends a message and returns the next received one. */
  async request(text: string): Promise<string> {
    this.send(text);
    return this.next();
  }

  close(): void {
    this.#socket.close();
  }
}
