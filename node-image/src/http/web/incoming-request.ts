import type { IncomingMessage } from 'node:http';

import { Incoming } from './incoming-message.ts';
import { IncomingHeaders } from './incoming-headers.ts';
import { natives } from './natives.ts';
import { bytesOf, clientGone, readBody, textOf } from './read-body.ts';
import { urlOf } from './request-url.ts';
import { markAsUncloneable } from './uncloneable.ts';
import { Upload } from './upload.ts';

/** `fetch` knows these and no others, as `new Request` does. */
const FORBIDDEN = new Set(['TRACE', 'CONNECT', 'TRACK']);

/**
 * The `Request` that a module gets. It is read from the message: what is not asked for is not made. Whatever needs more makes a
 * `Request` of Node.js, and is that one's from then on.
 */
export class IncomingRequest {
  readonly #incoming: IncomingMessage;
  readonly #module: string;
  readonly #method: string;
  readonly #url: string;
  #headers: IncomingHeaders | null = null;
  #native: Request | null = null;
  #upload: Upload | null = null;
  #abort: AbortController | null = null;
  #isUsed = false;
  #isGone = false;
  /** Whether what nobody has begun to read is dropped. */
  #isDrained = false;

  /**
   * @param path the target that the module sees.
   * @throws TypeError for a request that HTTP allows and `Request` does not, such as the method TRACE.
   */
  constructor(incoming: IncomingMessage, module: string, path: string) {
    const { method = 'GET' } = incoming;
    if (method !== 'GET' && FORBIDDEN.has(method)) throw new TypeError(`'${method}' HTTP method is unsupported.`);
    this.#incoming = incoming;
    this.#module = module;
    this.#method = method;
    this.#url = urlOf(incoming, path);
    markAsUncloneable(this);
  }

  static isOwn(value: unknown): value is IncomingRequest {
    return typeof value === 'object' && value !== null && #isUsed in value;
  }

  /** Aborts the signal, because the client has disconnected before it had the response. */
  static abort(request: IncomingRequest): void {
    request.#isGone = true;
    request.#abort?.abort(clientGone());
  }

  static mayHaveBody(request: IncomingRequest): boolean {
    return request.#hasBody;
  }

  /** Spares a message without a body the events of a stream that ends. Nobody reads it: the module sees the request only. */
  static endWithoutBody(request: IncomingRequest): void {
    const incoming = request.#incoming;
    const { headers } = incoming;
    if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) return;
    if (incoming instanceof Incoming) incoming.endStream();
  }

  /** The unread part of an upload would block the next request of the connection. Node.js resumes what nobody has read. */
  static drain(request: IncomingRequest): void {
    request.#isDrained = true;
    if (request.#upload !== null) request.#upload.release(request.bodyUsed);
    else if (request.#hasBody && !request.#isUsed) request.#incoming.resume();
  }

  static real(request: IncomingRequest): Request {
    if (request.#native !== null) return request.#native;
    const { method, signal } = request;
    const body = request.#hasBody ? { body: request.#stream(), duplex: 'half' as const } : {};
    const native = new (natives().Request)(request.url, {
      method,
      headers: IncomingHeaders.real(request.#head),
      signal,
      ...body,
    });
    // What was read stays read.
    if (request.#hasBody && request.#isUsed) void native.text();
    return (request.#native = native);
  }

  get method(): string {
    return this.#method;
  }

  get url(): string {
    return this.#url;
  }

  get headers(): Headers {
    return this.#head as unknown as Headers;
  }

  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController();
      if (this.#isGone) this.#abort.abort(clientGone());
    }
    return this.#abort.signal;
  }

  get body(): Request['body'] {
    return this.#hasBody ? IncomingRequest.real(this).body : null;
  }

  get bodyUsed(): boolean {
    return this.#native === null ? this.#isUsed : this.#native.bodyUsed;
  }

  async text(): Promise<string> {
    return this.#readsItself() ? textOf(await this.#read()) : IncomingRequest.real(this).text();
  }

  async json(): Promise<unknown> {
    return this.#readsItself() ? JSON.parse(textOf(await this.#read())) : IncomingRequest.real(this).json();
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#readsItself() ? bytesOf(await this.#read()).buffer : IncomingRequest.real(this).arrayBuffer();
  }

  async bytes(): Promise<Uint8Array> {
    return this.#readsItself() ? bytesOf(await this.#read()) : IncomingRequest.real(this).bytes();
  }

  clone(): Request {
    if (this.bodyUsed) throw new TypeError('Request.clone: Body has already been consumed.');
    return IncomingRequest.real(this).clone();
  }

  [Symbol.for('nodejs.util.inspect.custom')](
    _: number,
    options: object,
    inspect: (...args: unknown[]) => string,
  ): string {
    return inspect(IncomingRequest.real(this), options);
  }

  get #head(): IncomingHeaders {
    return (this.#headers ??= new IncomingHeaders(this.#incoming, this.#module));
  }

  get #hasBody(): boolean {
    return this.#method !== 'GET' && this.#method !== 'HEAD';
  }

  #stream(): ReadableStream {
    if (this.#isUsed) return new ReadableStream({ start: stream => stream.close() });
    this.#upload = new Upload(this.#incoming);
    if (this.#isDrained) this.#upload.release(false);
    return this.#upload.stream;
  }

  #readsItself(): boolean {
    if (this.#native !== null || !this.#hasBody) return false;
    if (this.#isUsed) throw new TypeError('Body is unusable: Body has already been read');
    return true;
  }

  #read(): Promise<Buffer> {
    this.#isUsed = true;
    const incoming = this.#incoming;
    return (incoming instanceof Incoming ? incoming.takeBody() : null) ?? readBody(incoming);
  }
}
