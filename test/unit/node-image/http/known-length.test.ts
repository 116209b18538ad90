import { once } from 'node:events';
import { connect } from 'node:net';

import { describe, expect, it, onTestFinished } from 'vitest';

import { startHttpServer } from '../../../../node-image/src/http/server.ts';
import { hosts } from '../modules/host.ts';

const host = hosts();

/** A node that serves a module whose `fetch` has this body, and a raw connection to it. */
async function served(body: string) {
  const node = host();
  const http = await startHttpServer({ port: 0, node: 'fred', codeServer: node.server });
  onTestFinished(() => http[Symbol.asyncDispose]());
  await node.push({ web: `export default { async fetch(request: Request) { ${body} } };` });
  const socket = connect(http.port, '127.0.0.1').setEncoding('latin1');
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** The answer as it is on the wire. */
async function answer(body: string, method = 'GET'): Promise<{ readonly headers: string; readonly body: string }> {
  const socket = await served(body);
  socket.write(`${method} /web/ HTTP/1.1\r\nhost: fred\r\nconnection: close\r\n\r\n`);
  let all = '';
  for await (const chunk of socket as AsyncIterable<string>) all += chunk;
  const end = all.indexOf('\r\n\r\n');
  return { headers: all.slice(0, end).toLowerCase(), body: all.slice(end + 4) };
}

const STREAM = (inside: string) => `return new Response(new ReadableStream({ ${inside} }))`;

describe('an answer of known length', () => {
  it.each([
    ['a text', `return new Response('h\u00e9llo')`, 6],
    ['an empty text', `return new Response('')`, 0],
    ['JSON', `return Response.json({ a: 1 })`, 7],
    ['bytes', `return new Response(new Uint8Array(3))`, 3],
    ['a large text', `return new Response('x'.repeat(1_000_000))`, 1_000_000],
    [
      'a body that the module has encoded',
      `return new Response('abc', { headers: { 'content-encoding': 'gzip' } })`,
      3,
    ],
    ['a length that the module says', `return new Response('abc', { headers: { 'content-length': '3' } })`, 3],
    ['an error page', `return new Response('gone', { status: 410 })`, 4],
  ])('carries it: %s', async (_, source, length) => {
    const { headers, body } = await answer(source);
    expect(headers.match(/content-length: \d+/g)).toEqual([`content-length: ${length}`]);
    expect(headers).not.toContain('transfer-encoding');
    expect(body).toHaveLength(length);
  });

  it('carries it, and no body, when HEAD asks', async () => {
    const { headers, body } = await answer(`return new Response('abc')`, 'HEAD');
    expect(headers).toContain('content-length: 3');
    expect(body).toBe('');
  });

  it.each([204, 304])('has neither length nor body with status %i', async status => {
    const { headers, body } = await answer(`return new Response(null, { status: ${status} })`);
    expect(headers).not.toMatch(/content-length|transfer-encoding/);
    expect(body).toBe('');
  });

  it('keeps all its cookies', async () => {
    const { headers } = await answer(
      `return new Response('a', { headers: [['set-cookie', 'a=1'], ['set-cookie', 'b=2']] })`,
    );
    expect(headers.match(/set-cookie: .*/g)).toEqual(['set-cookie: a=1', 'set-cookie: b=2']);
  });
});

describe('a stream', () => {
  it('is sent chunk by chunk while it runs', async () => {
    const socket = await served(STREAM(`start(c) { c.enqueue(new TextEncoder().encode('first')); }`));
    socket.write('GET /web/ HTTP/1.1\r\nhost: fred\r\n\r\n');
    let all = '';
    while (!all.includes('first')) all += String((await once(socket, 'data'))[0]);
    expect(all.toLowerCase()).toContain('transfer-encoding: chunked');
  });

  it('without an end is not read to its end', async () => {
    const socket = await served(STREAM(`pull(c) { c.enqueue(new Uint8Array(10)); }`));
    socket.write('GET /web/ HTTP/1.1\r\nhost: fred\r\n\r\n');
    expect(String((await once(socket, 'data'))[0]).toLowerCase()).toContain('transfer-encoding: chunked');
  });

  it('arrives whole and in order, over many turns', async () => {
    const { body } = await answer(
      STREAM(`n: 0, async pull(c) {
        if (this.n === 5) return c.close();
        if (this.n % 2) await new Promise(resolve => setTimeout(resolve, 1));
        c.enqueue(new TextEncoder().encode('part' + this.n++));
      }`),
    );
    expect(body.match(/part\d/g)).toEqual(['part0', 'part1', 'part2', 'part3', 'part4']);
  });
});
