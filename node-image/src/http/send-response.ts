import type { ServerResponse } from 'node:http';

import { readAhead } from './known-length.ts';

/** Sends a response, with its length if that is known and the module has not said it. */
export async function sendResponse(outgoing: ServerResponse, response: Response): Promise<void> {
  const { sendNodeResponse } = await import('srvx/node');
  const { body, status, statusText, headers } = response;
  if (body === null || body.locked || headers.has('content-length') || headers.has('transfer-encoding')) {
    return sendNodeResponse(outgoing, response);
  }
  const read = await readAhead(body);
  if (read.status === 'stream') {
    return sendNodeResponse(outgoing, new Response(read.body, { status, statusText, headers }));
  }
  // What HTTP/1.1 does not allow in a status line is left out, as srvx does.
  const reason = statusText.replaceAll(/[^\t\u0020-\u007E]/g, '');
  for (const [name, value] of headers) {
    if (name === 'set-cookie') outgoing.appendHeader(name, value);
    else outgoing.setHeader(name, value);
  }
  outgoing.writeHead(status, reason, { 'content-length': read.bytes });
  outgoing.end(Buffer.concat(read.chunks));
}

export function sendText(outgoing: ServerResponse, status: number, text: string): void {
  outgoing.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}
