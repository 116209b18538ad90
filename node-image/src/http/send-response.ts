import type { ServerResponse } from 'node:http';

import { readAhead } from './known-length.ts';
import { isOfNode } from './response-headers.ts';
import { sendStream } from './send-stream.ts';
import { listOf } from './web/header-list.ts';
import { partsOf, type PlainBody, type ResponseParts } from './web/module-response.ts';

/** Names and values in turns. */
type HeaderList = readonly string[];

/**
 * Sends a response, with its length if that is known and the module has not said it. What is a text or bytes is written at
 * once. Returns a promise for a body that has to be read before.
 *
 * @param nodeHeaders those of the node; the module can't set them.
 */
export function sendResponse(
  outgoing: ServerResponse,
  response: Response,
  nodeHeaders: HeaderList,
): Promise<void> | null {
  const parts = partsOf(response);
  if (parts === null) return sendNative(outgoing, response, nodeHeaders);
  sendParts(outgoing, parts, nodeHeaders);
  return null;
}

/** A response of Node.js has a stream, also when it was made of a text. */
async function sendNative(outgoing: ServerResponse, response: Response, nodeHeaders: HeaderList): Promise<void> {
  const { status, statusText, body } = response;
  const parts = { status, statusText, headers: listOf(response.headers) };
  const send = (sent: PlainBody): void => sendParts(outgoing, { ...parts, body: sent }, nodeHeaders);
  if (body === null || hasLength(parts.headers)) return send(body);
  const read = await readAhead(body);
  send(read.status === 'stream' ? read.body : Buffer.concat(read.chunks));
}

function sendParts(
  outgoing: ServerResponse,
  { status, statusText, headers, body }: ResponseParts,
  nodeHeaders: HeaderList,
): void {
  if (body instanceof ReadableStream && body.locked) throw new TypeError('the body of the response was read');
  const head = [...nodeHeaders];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (!isOfNode(name)) head.push(name, headers[i + 1] ?? '');
  }
  const isHead = outgoing.req.method === 'HEAD';
  const isEmpty = status === 204 || status === 304;
  const length = lengthOf(body);
  const isKnown = length !== null && !(body === null && isHead);
  if (isKnown && !isEmpty && !hasLength(headers)) head.push('content-length', String(length));
  // What HTTP/1.1 does not allow in a status line is left out.
  if (statusText === '') outgoing.writeHead(status, head);
  else outgoing.writeHead(status, statusText.replaceAll(/[^\t\u0020-\u007E]/g, ''), head);
  if (body instanceof ReadableStream) {
    if (!isHead && !isEmpty && !outgoing.destroyed) return sendStream(outgoing, body);
    body.cancel().catch(() => undefined);
  }
  if (body === null || isHead || isEmpty || body instanceof ReadableStream) outgoing.end();
  else outgoing.end(body);
}

function hasLength(headers: HeaderList): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === 'content-length' || headers[i] === 'transfer-encoding') return true;
  }
  return false;
}

function lengthOf(body: PlainBody): number | null {
  if (body === null) return 0;
  if (typeof body === 'string') return Buffer.byteLength(body);
  return body instanceof Uint8Array ? body.byteLength : null;
}

/** @param headers names and values in turns, beside those that the response has. */
export function sendText(outgoing: ServerResponse, status: number, text: string, headers: HeaderList = []): void {
  outgoing.writeHead(status, [...headers, 'content-type', 'text/plain; charset=utf-8']).end(`${text}\n`);
}
