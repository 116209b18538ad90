import type { IncomingMessage } from 'node:http';

import { isHeaderName } from './header-list.ts';
import { natives } from './natives.ts';
import { markAsUncloneable } from './uncloneable.ts';

/** The header with the part of the path that is removed for the module, for absolute links: `/web`. */
export const PREFIX_HEADER = 'x-forwarded-prefix';

/** Node.js keeps the first of these only, and `Headers` joins all. */
const NOT_JOINED = new Set(
  (
    'age authorization content-length content-type etag expires from host if-modified-since if-unmodified-since ' +
    'last-modified location max-forwards proxy-authorization referer retry-after server user-agent'
  ).split(' '),
);

/** The methods of `Headers` for a request that came in. A header is read from the message; all else makes real `Headers`. */
export class IncomingHeaders {
  readonly #incoming: IncomingMessage;
  readonly #module: string;
  #native: Headers | null = null;

  constructor(incoming: IncomingMessage, module: string) {
    this.#incoming = incoming;
    this.#module = module;
    markAsUncloneable(this);
  }

  /** Real headers, which are these from now on. */
  static real(headers: IncomingHeaders): Headers {
    if (headers.#native !== null) return headers.#native;
    const { rawHeaders } = headers.#incoming;
    const all = new (natives().Headers)();
    for (let i = 0; i < rawHeaders.length; i += 2) all.append(rawHeaders[i] ?? '', rawHeaders[i + 1] ?? '');
    all.set(PREFIX_HEADER, `/${headers.#module}`);
    return (headers.#native = all);
  }

  static isOwn(value: unknown): value is IncomingHeaders {
    return typeof value === 'object' && value !== null && #native in value;
  }

  get(name: string): string | null {
    const found = this.#find(name);
    return found === undefined ? IncomingHeaders.real(this).get(name) : found;
  }

  has(name: string): boolean {
    const found = this.#find(name);
    return found === undefined ? IncomingHeaders.real(this).has(name) : found !== null;
  }

  /** The header of a name; null for none, undefined for what real headers have to tell. */
  #find(name: unknown): string | null | undefined {
    if (this.#native !== null || typeof name !== 'string' || !isHeaderName(name)) return undefined;
    const lower = name.toLowerCase();
    if (lower === PREFIX_HEADER) return `/${this.#module}`;
    const { headers } = this.#incoming;
    if (!Object.hasOwn(headers, lower)) return lower === '__proto__' ? undefined : null;
    const value = headers[lower];
    if (typeof value !== 'string') return undefined;
    return NOT_JOINED.has(lower) && this.#isRepeated(lower) ? undefined : value;
  }

  #isRepeated(lower: string): boolean {
    const { rawHeaders } = this.#incoming;
    let isFound = false;
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i];
      if (name?.length !== lower.length || name.toLowerCase() !== lower) continue;
      if (isFound) return true;
      isFound = true;
    }
    return false;
  }
}
