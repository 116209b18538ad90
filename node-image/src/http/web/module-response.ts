import { Readable } from 'node:stream';
import { isSharedArrayBuffer } from 'node:util/types';

import { hasHeader, listOf, listOfInit } from './header-list.ts';
import { natives } from './natives.ts';
import { markAsUncloneable } from './uncloneable.ts';

type Body = ConstructorParameters<typeof Response>[0];

/** A body that can be sent as it is. */
export type PlainBody = string | Uint8Array | ReadableStream | null;

/** What a response was made of. */
export interface ResponseParts {
  readonly status: number;
  readonly statusText: string;
  /** Names in lower case and values, in turns. */
  readonly headers: readonly string[];
  readonly body: PlainBody;
}

/** The statuses of responses without a body. */
const NO_BODY = new Set([101, 103, 204, 205, 304]);

const REASON = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;

const TEXT = 'text/plain;charset=UTF-8';
const JSON_TYPE = 'application/json';

/** The streams that were made of texts and bytes, with those: `new Response(response.body, response)` sends them as such. */
const sources = new WeakMap<ReadableStream, string | Uint8Array>();

let partsIn: (response: ModuleResponse) => ResponseParts | null;
let isOwn: (value: unknown) => value is ModuleResponse;

/**
 * The `Response` of modules. It keeps what it was made of, and the node sends that without a stream. Whatever needs more makes
 * a `Response` of Node.js, and is that one's from then on.
 */
export class ModuleResponse {
  static {
    isOwn = (value): value is ModuleResponse => typeof value === 'object' && value !== null && #status in value;
    partsIn = response => {
      if (response.#native !== null) return null;
      const headers = response.#headers === null ? response.#list : listOf(response.#headers);
      return { status: response.#status, statusText: response.#statusText, headers, body: response.#body };
    };
  }

  #status = 200;
  #statusText = '';
  #body: PlainBody = null;
  #list: string[] = [];
  #headers: Headers | null = null;
  #native: Response | null = null;

  constructor(body: unknown = null, init?: unknown) {
    markAsUncloneable(this);
    if (!this.#take(body, init, TEXT)) this.#become(new (natives().Response)(body as Body, init as ResponseInit));
  }

  static json(data: unknown, init?: ResponseInit): ModuleResponse {
    const text = JSON.stringify(data) as string | undefined;
    if (text === undefined) throw new TypeError('Value is not JSON serializable');
    const response = new ModuleResponse();
    if (!response.#take(text, init, JSON_TYPE)) response.#become(natives().Response.json(data, init));
    return response;
  }

  static redirect(url: string | URL, status?: Parameters<typeof Response.redirect>[1]): Response {
    return natives().Response.redirect(url, status);
  }

  static error(): Response {
    return natives().Response.error();
  }

  /** A response of Node.js, or a class of somebody else, is an instance of `Response` too. */
  static [Symbol.hasInstance](value: unknown): boolean {
    if (this !== ModuleResponse) return Function.prototype[Symbol.hasInstance].call(this, value);
    return value instanceof natives().Response;
  }

  get status(): number {
    return this.#status;
  }

  get statusText(): string {
    return this.#statusText;
  }

  get ok(): boolean {
    return this.#status >= 200 && this.#status <= 299;
  }

  get redirected(): boolean {
    return false;
  }

  get type(): Response['type'] {
    return this.#native?.type ?? 'default';
  }

  get url(): string {
    return this.#native?.url ?? '';
  }

  get headers(): Headers {
    if (this.#headers !== null) return this.#headers;
    const headers = new (natives().Headers)();
    for (let i = 0; i < this.#list.length; i += 2) headers.append(this.#list[i] ?? '', this.#list[i + 1] ?? '');
    return (this.#headers = headers);
  }

  get body(): Response['body'] {
    if (this.#native === null && (this.#body === null || this.#body instanceof ReadableStream)) return this.#body;
    const source = this.#body;
    const { body } = this.#real();
    if (body !== null && source !== null && !(source instanceof ReadableStream)) sources.set(body, source);
    return body;
  }

  get bodyUsed(): boolean {
    if (this.#native !== null) return this.#native.bodyUsed;
    return this.#body instanceof ReadableStream && isDisturbed(this.#body);
  }

  clone(): Response {
    const { body } = this.#real().clone();
    const init = { status: this.#status, statusText: this.#statusText, headers: this.headers };
    return new ModuleResponse(body, init) as unknown as Response;
  }

  async text(): Promise<string> {
    return this.#real().text();
  }

  async json(): Promise<unknown> {
    return this.#real().json();
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#real().arrayBuffer();
  }

  async bytes(): Promise<Uint8Array> {
    return this.#real().bytes();
  }

  async blob(): Promise<Blob> {
    return this.#real().blob();
  }

  async formData(): Promise<FormData> {
    return this.#real().formData();
  }

  [Symbol.for('nodejs.util.inspect.custom')](
    _: number,
    options: object,
    inspect: (...args: unknown[]) => string,
  ): string {
    return inspect(this.#real(), options);
  }

  /** Takes what can be sent as it is. False for what only Node's class should judge, or can convert. */
  #take(body: unknown, init: unknown, textType: string): boolean {
    const plain = plainBody(body);
    if (plain === undefined) return false;
    if (init !== undefined) {
      if (typeof init !== 'object' || init === null) return false;
      const { headers, status = 200, statusText = '' } = init as ResponseInit;
      if (typeof status !== 'number' || !Number.isInteger(status) || status < 200 || status > 599) return false;
      if (plain !== null && NO_BODY.has(status)) return false;
      if (typeof statusText !== 'string' || !REASON.test(statusText)) return false;
      const list = listOfInit(headers);
      if (list === null) return false;
      this.#list = list;
      this.#status = status;
      this.#statusText = statusText;
    }
    // Not of `plain`: the stream of a text has no type.
    if (typeof body === 'string' && !hasHeader(this.#list, 'content-type')) this.#list.push('content-type', textType);
    this.#body = plain;
    return true;
  }

  #become(native: Response): void {
    this.#native = native;
    this.#headers = native.headers;
    this.#status = native.status;
    this.#statusText = native.statusText;
  }

  #real(): Response {
    if (this.#native !== null) return this.#native;
    const { headers } = this;
    const init = { status: this.#status, statusText: this.#statusText, headers };
    this.#native = new (natives().Response)(this.#body as Body, init);
    this.#body = null;
    return this.#native;
  }
}

/** What a body is sent as; undefined for one that Node's class converts. */
function plainBody(body: unknown): PlainBody | undefined {
  if (body === null || body === undefined) return null;
  if (typeof body === 'string') return body;
  if (body instanceof ReadableStream) {
    if (body.locked || isDisturbed(body)) return undefined;
    return sources.get(body) ?? body;
  }
  // The bytes are those that it has now.
  if (body instanceof ArrayBuffer) return isResizable(body) ? undefined : new Uint8Array(body.slice(0));
  if (!ArrayBuffer.isView(body) || isSharedArrayBuffer(body.buffer) || isResizable(body.buffer)) return undefined;
  return new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice();
}

const isResizable = (buffer: object): boolean => Reflect.get(buffer, 'resizable') === true;

/** Missing in the types of Node.js for the streams of the web. */
const isDisturbed = (stream: ReadableStream): boolean => Readable.isDisturbed(stream as never);

/** What a response was made of, with its present headers; null for one that is of Node's class, or has become so. */
export function partsOf(response: unknown): ResponseParts | null {
  return isOwn(response) ? partsIn(response) : null;
}
