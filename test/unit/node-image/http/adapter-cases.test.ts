import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

import { beforeEach, describe, expect, it } from 'vitest';

import { type Serving, serving, servingHosts } from './serving-host.ts';

const servingHost = servingHosts();
let node: Serving;

beforeEach(async () => {
  node = await servingHost();
});

/** What a module whose `fetch` has this body answers. */
async function answer(body: string, init?: RequestInit): Promise<Response> {
  await node.push({ web: serving(body) });
  return node.get('/web/', init);
}

/** The whole answer to bytes that a client sends, without the chunks of a body of known length. */
async function answerTo(...lines: readonly string[]): Promise<{ readonly status: number; readonly body: string }> {
  const socket = connect(node.http.port, '127.0.0.1').setEncoding('latin1');
  await once(socket, 'connect');
  socket.write(`${lines.join('\r\n')}\r\nconnection: close\r\n\r\n`);
  const all = await text(socket);
  return { status: Number(all.split(' ')[1]), body: all.slice(all.indexOf('\r\n\r\n') + 4) };
}

// The cases that the adapters of Hono (@hono/node-server) and srvx are tested with, as far as no other file has them.
describe('the URL of a request', () => {
  it.each([
    ['/web/foo/../bar/baz?x=1', 'http://a.example/bar/baz?x=1'],
    ['/web/foo/%2e%2e/bar', 'http://a.example/bar'],
    ['/web/../../etc/passwd', 'http://a.example/etc/passwd'],
    ['/web//other.example/x', 'http://a.example//other.example/x'],
    ['/web/a?next=http://b/', 'http://a.example/a?next=http://b/'],
    ['/web/%E3%81%82?q=a+b%2Bc', 'http://a.example/%E3%81%82?q=a+b%2Bc'],
    ['http://b.example/web/x', 'http://b.example/x'],
  ])('of %s', async (target, url) => {
    await node.push({ web: serving('return new Response(request.url)') });
    expect(await answerTo(`GET ${target} HTTP/1.1`, 'host: a.example')).toEqual({ status: 200, body: url });
  });

  it.each(['a.example:8080', '[::1]:8080', 'A.Example'])('has the host %s', async host => {
    await node.push({ web: serving('return new Response(request.url)') });
    expect(await answerTo('GET /web/ HTTP/1.1', `host: ${host}`)).toEqual({
      status: 200,
      body: `http://${host.toLowerCase()}/`,
    });
  });

  it.each([['host: a/b'], ['host: a?b'], ['host: a:port'], ['host: user@a'], ['host: a b'], ['x: no host']])(
    'is a 400 with %s',
    async host => {
      await node.push({ web: serving('return new Response(request.url)') });
      expect((await answerTo('GET /web/ HTTP/1.1', host)).status).toBe(400);
    },
  );
});

describe('the methods', () => {
  it.each(['DELETE', 'PATCH', 'PUT', 'OPTIONS', 'PURGE', 'PROPFIND'])('%s reaches the module', async method => {
    expect(await (await answer('return new Response(request.method)', { method })).text()).toBe(method);
  });

  it.each(['TRACE', 'CONNECTED', 'get'])('%s does not', async method => {
    await node.push({ web: serving('return new Response(request.method)') });
    expect((await answerTo(`${method} /web/ HTTP/1.1`, 'host: a')).status).toBe(400);
  });
});

describe('a body', () => {
  const upload = { method: 'POST', body: 'yabba dabba doo', headers: { 'content-type': 'Text/Plain; Charset=UTF-8' } };
  const failed = `.then(() => 'read', (error: Error) => error.name)`;

  it.each([
    ['that nobody reads', `return new Response('done')`],
    ['that is cancelled', `await request.body?.cancel(); return new Response('done')`],
    ['that is read in part', `await request.body?.getReader().read(); return new Response('done')`],
    [
      'that is read in part and cancelled',
      `const reader = request.body?.getReader(); await reader?.read(); await reader?.cancel(); return new Response('done')`,
    ],
  ])('%s leaves the connection to the next request', async (_, body) => {
    await node.push({ web: serving(body) });
    const socket = connect(node.http.port, '127.0.0.1').setEncoding('latin1');
    const post = `POST /web/ HTTP/1.1\r\nhost: a\r\ncontent-length: 200000\r\n`;
    socket.write(`${post}\r\n${'x'.repeat(200_000)}${post}connection: close\r\n\r\n${'y'.repeat(200_000)}`);
    expect((await text(socket)).match(/HTTP\/1.1 200/g)).toHaveLength(2);
  });

  it(
    'that goes on after the response is read to its end, as slowly as its client sends it',
    { timeout: 20_000 },
    async () => {
      await node.push({
        web: `
        let read = '';
        export default { fetch(request: Request) {
          void new Response(request.body).text().then(all => (read = all), (error: Error) => (read = error.name));
          return new Response('accepted', { status: 202 });
        } };
        export const what = () => read;
      `,
      });
      const socket = connect(node.http.port, '127.0.0.1').setEncoding('latin1');
      socket.write('POST /web/ HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nyabba');
      await once(socket, 'data');
      // Longer than a reader can leave what is there.
      await new Promise(resolve => setTimeout(resolve, 2_500));
      socket.write('dabba');
      await expect.poll(() => node.value('web', 'what')).toBe('yabbadabba');
      socket.destroy();
    },
  );

  it.each([
    ['the type of a blob', `(await request.blob()).type`, 'text/plain;charset=utf-8'],
    [
      'a second read after the signal',
      `(await request.text(), request.signal, await request.text()${failed})`,
      'TypeError',
    ],
    ['a form that is none', `await request.formData()${failed}`, 'TypeError'],
    ['JSON that is none', `await request.json()${failed}`, 'SyntaxError'],
    ['a stream that is locked', `(request.body?.getReader(), await request.text()${failed})`, 'TypeError'],
    [
      'a new Request with another body',
      `(await request.text(), await new Request(request, { body: 'b' }).text())`,
      'b',
    ],
    ['a Request of a clone', `await new Request(request.clone()).text()`, upload.body],
    [
      'its parts',
      `(({ method, headers }) => [method, headers.get('content-length')])(new Request(request))`,
      ['POST', '15'],
    ],
    ['a subclass', `await new (class Own extends Request {})(request).text()`, upload.body],
    ['one signal', `request.signal === request.signal`, true],
  ])('is as that of a real Request: %s', async (_, expression, expected) => {
    expect(await (await answer(`return Response.json(${expression})`, upload)).json()).toEqual(expected);
  });

  it.each(['text', 'json'])('with a byte order mark is read without it: %s', async how => {
    const body = new Uint8Array([0xef, 0xbb, 0xbf, 0x37]);
    expect(
      await (await answer(`return Response.json(await request.${how}())`, { method: 'POST', body })).json(),
    ).toEqual(how === 'text' ? '7' : 7);
  });

  it('of a form in a URL is read', async () => {
    const body = new URLSearchParams({ name: 'fred flintstone' });
    const read = `return new Response((await request.formData()).get('name') as string)`;
    expect(await (await answer(read, { method: 'POST', body })).text()).toBe('fred flintstone');
  });
});

describe('a response', () => {
  it.each([
    [
      'a form in a URL',
      `new Response(new URLSearchParams({ a: 'b c' }))`,
      'a=b+c',
      'application/x-www-form-urlencoded;charset=UTF-8',
    ],
    ['a view', `new Response(new DataView(new TextEncoder().encode('dabba').buffer))`, 'dabba', null],
    ['a Buffer', `new Response(Buffer.from('dabba'))`, 'dabba', null],
    ['a typed blob', `new Response(new Blob(['{}'], { type: 'application/json' }))`, '{}', 'application/json'],
    ['JSON', `Response.json({ a: 1 })`, '{"a":1}', 'application/json'],
    [
      'JSON of a type',
      `Response.json([], { headers: { 'content-type': 'application/feed+json' } })`,
      '[]',
      'application/feed+json',
    ],
    ['null', `new Response(null)`, '', null],
    ['null with a status', `new Response(null, { status: 404 })`, '', null],
    ['an empty text', `new Response('')`, '', 'text/plain;charset=UTF-8'],
    [
      'a generator',
      `new Response((async function* () { yield Buffer.from('dab'); yield Buffer.from('ba'); })() as never)`,
      'dabba',
      null,
    ],
  ])('has the body and type of %s', async (_, response, body, type) => {
    const read = await answer(`return ${response}`);
    expect([await read.text(), read.headers.get('content-type')]).toEqual([body, type]);
  });

  it.each([
    ['pairs', `[['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['x', '1'], ['x', '2']]`, ['a=1', 'b=2'], '1, 2'],
    [
      'Headers',
      `(() => { const all = new Headers({ x: '1' }); all.append('set-cookie', 'a=1'); return all; })()`,
      ['a=1'],
      '1',
    ],
  ])('has headers that are given as %s', async (_, headers, cookies, x) => {
    const response = await answer(`return new Response('', { headers: ${headers} as HeadersInit })`);
    expect([response.headers.getSetCookie(), response.headers.get('x')]).toEqual([cookies, x]);
  });

  it.each([
    ['before the body is read', `made.headers.set('x', '2'); return made.clone();`],
    ['after the body was asked for', `void made.body; made.headers.set('x', '2'); return made.clone();`],
    ['of a clone', `const other = made.clone(); other.headers.set('x', '2'); return other;`],
    ['of one made of another', `return new Response(made.body, { ...made, status: 201, headers: { x: '2' } });`],
  ])('keeps a header that is changed %s', async (_, change) => {
    const response = await answer(`const made = new Response('a', { status: 201, headers: { x: '1' } }); ${change}`);
    expect([response.status, response.headers.get('x'), await response.text()]).toEqual([201, '2', 'a']);
  });

  it('has its own reason, and a location that is a URL', async () => {
    await node.push({
      web: serving(`
        if (request.method === 'GET') return new Response('', { status: 299, statusText: 'Yabba Dabba' });
        return Response.redirect(new URL('/next', request.url), 303);
      `),
    });
    const [reason, redirect] = [await node.get('/web/'), await node.get('/web/', { method: 'POST' })];
    expect([reason.status, reason.statusText]).toEqual([299, 'Yabba Dabba']);
    expect([redirect.status, redirect.headers.get('location')]).toEqual([303, `${node.base}/next`]);
  });

  it.each([
    ['a length', `new Response('dabba', { headers: { 'content-length': '5' } })`, 'content-length', '5'],
    [
      'an encoding',
      `new Response(zlib.gzipSync('dabba'), { headers: { 'content-encoding': 'gzip' } })`,
      'content-encoding',
      'gzip',
    ],
    [
      'chunks',
      `new Response(new Blob(['dabba']).stream(), { headers: { 'transfer-encoding': 'chunked' } })`,
      'transfer-encoding',
      'chunked',
    ],
  ])('that says itself that it has %s is sent so', async (_, response, name, value) => {
    await node.push({ web: `import zlib from 'node:zlib'; ${serving(`return ${response}`)}` });
    const read = await node.get('/web/');
    expect([read.headers.get(name), await read.text()]).toEqual([value, 'dabba']);
  });

  it('whose stream fails ends its connection after what was sent, and the next request is served', async () => {
    await node.push({
      web: serving(`
        if (request.method === 'POST') return new Response('still here');
        let sent = 0;
        const pull = (stream: ReadableStreamDefaultController) =>
          ++sent > 2 ? stream.error(new Error('no more')) : stream.enqueue(new TextEncoder().encode('chunk' + sent));
        return new Response(new ReadableStream({ pull }));
      `),
    });
    const response = await node.get('/web/');
    let read = '';
    const reading = async () => {
      for await (const chunk of response.body ?? []) read += Buffer.from(chunk).toString();
    };
    await expect(reading()).rejects.toThrow();
    expect(read).toBe('chunk1chunk2');
    expect(await (await node.get('/web/', { method: 'POST' })).text()).toBe('still here');
  });
});

it('a request and a response are inspected as real ones', async () => {
  await node.push({
    web: `import { inspect } from 'node:util'; ${serving(`return Response.json([inspect(request), inspect(new Response('', { headers: { 'x-b': '1' } }))])`)}`,
  });
  const [request = '', response = ''] = (await (
    await node.get('/web/', { headers: { 'x-a': '1' } })
  ).json()) as string[];
  expect(request).toMatch(/^Request \{[^]*method: 'GET'[^]*'x-a': '1'/);
  expect(response).toMatch(/^Response \{[^]*status: 200[^]*'x-b': '1'/);
});
