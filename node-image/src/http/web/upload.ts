import type { IncomingMessage } from 'node:http';

import { bytesOf, clientGone } from './read-body.ts';

/** How long a reader can leave what is there, after the response is sent (milliseconds). */
const PAUSE_MS = 1_000;

/**
 * The body of a message as a stream, at the pace of its reader. The next request of the connection waits behind it. So what nobody
 * reads is dropped: when the stream is cancelled, and when its reader pauses after the response.
 */
export class Upload {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #incoming: IncomingMessage;
  #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | null = null;
  #pause: NodeJS.Timeout | null = null;

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming;
    this.stream = new ReadableStream({
      start: controller => void (this.#controller = controller),
      pull: () => {
        this.#pause?.refresh();
        incoming.resume();
      },
      cancel: () => this.#drop(),
    });
    incoming
      .on('data', (chunk: Buffer) => this.#take(chunk))
      .on('end', () => this.#end()?.close())
      .on('error', error => this.#end()?.error(error))
      .pause();
    if (incoming.readableEnded) this.#end()?.close();
    else if (incoming.destroyed) this.#end()?.error(incoming.errored ?? clientGone());
  }

  /** The response is sent, or the client has gone. @param isRead whether somebody has begun to read. */
  release(isRead: boolean): void {
    if (this.#controller === null) return;
    const giveUp = (): void => {
      // The reader has all that has come: it waits for the client.
      if (isRead && (this.#controller?.desiredSize ?? 0) > 0) return void this.#pause?.refresh();
      const why = 'the response was sent, and nobody read the rest of the body';
      this.#controller?.error(new DOMException(why, 'AbortError'));
      this.#drop();
    };
    if (isRead) this.#pause = setTimeout(giveUp, PAUSE_MS).unref();
    else giveUp();
  }

  #take(chunk: Buffer): void {
    if (this.#controller === null) return;
    this.#controller.enqueue(bytesOf(chunk));
    if ((this.#controller.desiredSize ?? 0) > 0) return;
    this.#pause?.refresh();
    this.#incoming.pause();
  }

  /** Nothing more is passed on. Returns what can be told so. */
  #end(): ReadableStreamDefaultController | null {
    const controller = this.#controller;
    this.#controller = null;
    if (this.#pause !== null) clearTimeout(this.#pause);
    return controller;
  }

  #drop(): void {
    this.#end();
    this.#incoming.resume();
  }
}
