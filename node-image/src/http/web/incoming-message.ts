import { IncomingMessage } from './node-http.ts';
import { clientGone } from './read-body.ts';

/** Where the body of a message goes that is taken. */
interface Taken {
  readonly chunks: Buffer[];
  readonly resolve: (body: Buffer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A message to the node's server. Its body can be taken as it is parsed: a stream takes longer to start and to end than a small
 * body takes to arrive.
 */
export class Incoming extends IncomingMessage {
  #taken: Taken | null = null;

  /** Takes the whole body. Null when the stream has got some of it. The promise rejects when the client disconnects before the end. */
  takeBody(): Promise<Buffer> | null {
    if (this.complete || this.destroyed || this.readableLength > 0 || this.readableFlowing !== null) return null;
    return new Promise((resolve, reject) => (this.#taken = { chunks: [], resolve, reject }));
  }

  /**
   * Ends the stream of a message whose body is not in it. Node.js has such a method for servers with `optimizeEmptyRequests`,
   * which is for all requests or none.
   */
  endStream(): void {
    const { _dumpAndCloseReadable: close } = this as { _dumpAndCloseReadable?: () => void };
    if (close === undefined) super.push(null);
    else Reflect.apply(close, this, []);
  }

  override push(chunk: Buffer | null): boolean {
    if (this.#taken === null) return super.push(chunk);
    const { chunks, resolve } = this.#taken;
    if (chunk !== null) chunks.push(chunk);
    else {
      this.#taken = null;
      this.endStream();
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
    }
    return true;
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#taken?.reject(error ?? clientGone());
    this.#taken = null;
    super._destroy(error, callback);
  }
}
