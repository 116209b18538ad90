import type { IncomingMessage } from 'node:http';

/** Reads a body to its end, without a stream of the web. Rejects when the client disconnects before. */
export function readBody(incoming: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (incoming.destroyed && !incoming.readableEnded) return reject(incoming.errored ?? clientGone());
    let first: Buffer | null = null;
    let chunks: Buffer[] | null = null;
    incoming.on('data', (chunk: Buffer) => {
      if (first === null) first = chunk;
      else (chunks ??= [first]).push(chunk);
    });
    incoming.on('end', () => resolve(chunks === null ? (first ?? Buffer.alloc(0)) : Buffer.concat(chunks)));
    incoming.on('error', reject);
  });
}

export function clientGone(): DOMException {
  return new DOMException('the client has disconnected', 'AbortError');
}

/** The text of UTF-8, without the mark of its byte order. */
export function textOf(bytes: Buffer): string {
  const text = bytes.toString();
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/** Own memory: a small buffer is in a slab of Node.js, with what others read. */
export function bytesOf(bytes: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
