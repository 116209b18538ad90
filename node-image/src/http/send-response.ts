import type { ServerResponse } from 'node:http';

import { readAhead } from './known-length.ts';
import { responseOf } from './response-of.ts';
import { isOfNode } from './response-headers.ts';
import { sendStream } from './send-stream.ts';
import { listOf } from './web/header-list.ts';
import { partsOf, type PlainBody, type ResponseParts } from './web/module-response.ts';

/** Names and values in turns. */
type HeaderList = readonly string[];

/**
 * Sends what `fetch` of a module has returned, with its length if that is known and the module has not said it. What is a text or bytes is written at
 * once. Returns a promise for a body that has to be read before.
 *
 * @param nodeHeaders those of the node; the module can't set them.
 */
export function sendResponse(outgoing: ServerResponse, value: unknown, nodeHeaders: HeaderList): Promise<void> | null {
  const parts = partsOf(value);
  if (parts === null) return sendNative(outgoing, value, nodeHeaders);
  sendParts(outgoing, parts, nodeHeaders);
  return null;
}

/** A response of Node.js has a stream, also when it was made of a text. */
async function sendNative(outgoing: ServerResponse, value: unknown, nodeHeaders: HeaderList): Promise<void> {
  const response = responseOf(value);
  if (response === null) throw new TypeError('fetch returned no Response');
  const copied = partsOf(response);
  if (copied !== null) return sendParts(outgoing, copied, nodeHeaders);
  const { status, statusText, body } = response;
  const parts = { status, statusText, headers: listOf(response.headers) };
  const send = (sent: PlainBody): void => sendParts(outgoing, { ...parts, body: sent }, nodeHeaders);
  if (body === null || parts.headers.some((name, index) => index % 2 === 0 && isLength(name))) return send(body);
  const read = await readAhead(body);
  send(read.status === 'stream' ? read.body : Buffer.concat(read.chunks));
}

export function sendParts(
  outgoing: ServerResponse,
  { status, statusText, headers, body }: ResponseParts,
  nodeHeaders: HeaderList,
): void {
  const isStream = typeof body === 'object' && body instanceof ReadableStream;
  if (isStream && body.locked) throw new TypeError('the body of the response was read');
  const head = nodeHeaders.slice();
  let hasLength = false;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (isOfNode(name)) continue;
    if (isLength(name)) hasLength = true;
    head.push(name, headers[i + 1] ?? '');
  }
  const isHead = outgoing.req.method === 'HEAD';
  const isEmpty = status === 204 || status === 304;
  const length = isStream ? null : lengthOf(body);
  const isKnown = length !== null && !(body === null && isHead);
  if (isKnown && !isEmpty && !hasLength) head.push('content-length', String(length));
  // What HTTP/1.1 does not allow in a status line is left out.
  if (statusText === '') outgoing.writeHead(status, head);
  else outgoing.writeHead(status, statusText.replaceAll(/[^\t\u0020-\u007E]/g, ''), head);
  if (isStream) {
    if (!isHead && !isEmpty && !outgoing.destroyed) return sendStream(outgoing, body);
    body.cancel().catch(() => undefined);
  }
  if (body === null || isHead || isEmpty || isStream) outgoing.end();
  else outgoing.end(body);
}

/** Whether a response has been handed to the system to its last byte. */
export function isSent({ writableEnded, socket }: ServerResponse): boolean {
  return writableEnded && socket !== null && socket.writableLength === 0;
}

/** @param name in lower case. */
const isLength = (name: string): boolean => name === 'content-length' || name === 'transfer-encoding';

function lengthOf(body: Exclude<PlainBody, ReadableStream>): number {
  if (body === null) return 0;
  return typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
}

/** @param headers names and values in turns, beside those that the response has. */
export function sendText(outgoing: ServerResponse, status: number, text: string, headers: HeaderList = []): void {
  outgoing.writeHead(status, [...headers, 'content-type', 'text/plain; charset=utf-8']).end(`${text}\n`);
}
