import { functionOf, isObject } from './function-of.ts';

type Body = ConstructorParameters<typeof Response>[0];

/** The statuses of responses without a body. */
const NO_BODY = new Set([101, 204, 205, 304]);

/**
 * The response that a module has returned. A `Response` of a package (graphql-yoga, node-fetch, undici) is no instance of the
 * global class: it is known by its shape, and copied. Null for everything else.
 */
export function responseOf(value: unknown): Response | null {
  if (value instanceof Response) return value;
  if (!isObject(value) || typeof value['status'] !== 'number' || functionOf(value, 'arrayBuffer') === null) return null;
  const headers = headersOf(value['headers']);
  if (headers === null) return null;
  const { status, statusText } = value;
  const reason = typeof statusText === 'string' ? { statusText } : {};
  return new Response(NO_BODY.has(status) ? null : bodyOf(value['body']), { status, ...reason, headers });
}

function headersOf(value: unknown): Headers | null {
  if (!isIterable(value)) return null;
  const headers = new Headers([...value] as [string, string][]);
  // The iterators of some packages join cookies to one header.
  const cookies = functionOf(value, 'getSetCookie')?.();
  if (!isIterable(cookies)) return headers;
  headers.delete('set-cookie');
  for (const cookie of cookies) headers.append('set-cookie', String(cookie));
  return headers;
}

/** A stream of Node.js or of a package gives its chunks by iteration. */
function bodyOf(body: unknown): Body {
  if (body === null || body === undefined) return null;
  if (body instanceof ReadableStream) return body;
  return isObject(body) && Symbol.asyncIterator in body
    ? ReadableStream.from(chunksOf(body as unknown as AsyncIterable<unknown>))
    : (body as Body);
}

async function* chunksOf(body: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) yield chunk instanceof Uint8Array ? chunk : Buffer.from(String(chunk));
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return isObject(value) && Symbol.iterator in value;
}
