import { EventEmitter, once } from 'node:events';

import WebSocket from 'crossws/websocket';

/** What is waited for comes within this time (milliseconds). */
const DEADLINE = 20_000;

/** A client's end of a WebSocket connection, which takes messages in order. */
export class Talk {
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #socket: WebSocket;
  readonly #received: string[] = [];
  readonly #news = new EventEmitter();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      this.#received.push(String(data));
      this.#news.emit('message');
    });
    this.closed = new Promise(resolve => {
      socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason }));
    });
  }

  /** Resolves when the connection is open. */
  static async open(url: string): Promise<Talk> {
    const socket = new WebSocket(url);
    const talk = new Talk(socket);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', () => reject(new Error(`${url} does not open`)));
    });
    return talk;
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  /** The next message that was not taken yet. */
  async next(): Promise<string> {
    const signal = AbortSignal.timeout(DEADLINE);
    for (;;) {
      const message = this.#received.shift();
      if (message !== undefined) return message;
      await once(this.#news, 'message', { signal });
    }
  }

  /** Sends, and gives the next message. */
  async ask(text: string): Promise<string> {
    this.send(text);
    return this.next();
  }

  close(): void {
    this.#socket.close();
  }
}
