import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

import { describe, expect, it } from 'vitest';

import { serving, servingHosts } from './serving-host.ts';

const servingHost = servingHosts();

/** What a request to a module whose `fetch` has this body is answered with. */
async function answer(body: string, init?: RequestInit): Promise<Response> {
  const node = await servingHost();
  await node.push({ web: serving(body) });
  return node.get('/web/', init);
}

const reads = (response: string): string => `const made = ${response}; return Response.json(await (async () => `;

describe('the Response of modules', () => {
  it.each([
    ['an instance', `made instanceof Response`, true],
    ['its tag', `Object.prototype.toString.call(made)`, '[object Response]'],
    ['its class', `made.constructor === Response && Response.name`, 'Response'],
    ['its own keys', `Object.keys(made)`, []],
    [
      'its parts',
      `[made.status, made.statusText, made.ok, made.type, made.url, made.redirected]`,
      [201, 'Made', true, 'default', '', false],
    ],
    ['a header', `made.headers.get('X-A')`, 'b'],
    ['the type of a text', `made.headers.get('content-type')`, 'text/plain;charset=UTF-8'],
    ['a body read', `[await made.text(), made.bodyUsed]`, ['yabba', true]],
    ['a body read twice', `(await made.text(), await made.text().catch((error: Error) => error.name))`, 'TypeError'],
    [
      'a clone',
      `[await made.clone().text(), await made.text(), made.clone instanceof Function]`,
      ['yabba', 'yabba', true],
    ],
    ['a stream', `await new Response(made.body).text()`, 'yabba'],
    ['a subclass', `new (class Own extends Response { own = 1 })('a') instanceof Response`, true],
    [
      'a wrong status',
      `(() => { try { new Response('', { status: 99 }); } catch (error) { return (error as Error).name; } })()`,
      'RangeError',
    ],
    [
      'a body with 204',
      `(() => { try { new Response('a', { status: 204 }); } catch (error) { return (error as Error).name; } })()`,
      'TypeError',
    ],
    [
      'a wrong header',
      `(() => { try { new Response('', { headers: { 'a b': '' } }); } catch (error) { return (error as Error).name; } })()`,
      'TypeError',
    ],
    [
      'no JSON',
      `(() => { try { Response.json(undefined); } catch (error) { return (error as Error).name; } })()`,
      'TypeError',
    ],
    ['a redirect', `[Response.redirect('http://a/').status, Response.error().type]`, [302, 'error']],
    ['one of another class', `await fetch('data:,x') instanceof Response`, true],
  ])('is as a real one: %s', async (_, expression, expected) => {
    const response = `new Response('yabba', { status: 201, statusText: 'Made', headers: { 'X-A': ' b ' } })`;
    const read = await answer(`${reads(response)}(${expression}))())`);
    expect(await read.json()).toEqual(expected);
  });

  it.each([
    ['a text', `new Response('dabba')`],
    [
      'bytes, as they were',
      `(() => { const bytes = new TextEncoder().encode('dabba'); const made = new Response(bytes); bytes.fill(0); return made; })()`,
    ],
    ['a part of a buffer', `new Response(new Uint8Array(new TextEncoder().encode('-dabba-').buffer, 1, 5))`],
    ['a buffer', `new Response(new TextEncoder().encode('dabba').buffer)`],
    ['a blob', `new Response(new Blob(['dabba']))`],
    ['a stream', `new Response(new Blob(['dabba']).stream())`],
    ['a clone', `new Response('dabba').clone()`],
    ['one whose body was asked for', `(() => { const made = new Response('dabba'); void made.body; return made; })()`],
    ['one made of the body of another', `new Response(new Response('dabba').body)`],
    ['one made of another', `(() => { const made = new Response('dabba'); return new Response(made.body, made); })()`],
  ])('is sent: %s', async (_, response) => {
    expect(await (await answer(`return ${response}`)).text()).toBe('dabba');
  });

  it('is sent with the headers that it has in the end', async () => {
    const { headers } = await answer(`
      const response = new Response('a', { headers: { x: '1', y: '2' } });
      response.headers.set('x', '3');
      response.headers.delete('y');
      response.headers.append('set-cookie', 'a=1');
      response.headers.append('set-cookie', 'b=2');
      return response;
    `);
    expect([headers.get('x'), headers.get('y'), headers.getSetCookie()]).toEqual(['3', null, ['a=1', 'b=2']]);
  });

  it('is sent with its length when it is made of the body of another', async () => {
    const { headers } = await answer(`const made = new Response('dabba'); return new Response(made.body, made)`);
    expect([headers.get('content-length'), headers.get('content-type')]).toEqual(['5', 'text/plain;charset=UTF-8']);
  });

  it('can not say that it is of another node or revision', async () => {
    for (const of of ['', ', { status: 500 }']) {
      const { headers } = await answer(`
        const own = { 'Hotcast-Node': 'me', 'hotcast-revision': 'mine' };
        ${of === '' ? `return new Response('', { headers: own })` : `return new Response(new Blob(['']), { headers: Object.entries(own) })`}
      `);
      expect([headers.get('hotcast-node'), headers.get('hotcast-revision')]).toEqual([
        'fred',
        expect.stringMatching(/^web@/),
      ]);
    }
  });

  it('is sent only once', async () => {
    const node = await servingHost();
    const once = `const once = new Response(new Blob(['dabba']).stream()); export default { fetch: () => once };`;
    await node.push({ web: once });
    expect(await (await node.get('/web/')).text()).toBe('dabba');
    expect((await node.get('/web/')).status).toBe(500);
  });

  it('is known of a polyfill by its shape', async () => {
    const shape = `{ status: 202, headers: new Map([['x', '1']]), body: null, arrayBuffer: async () => new ArrayBuffer(0) }`;
    const response = await answer(`return ${shape} as unknown as Response`);
    expect([response.status, response.headers.get('x')]).toEqual([202, '1']);
  });

  it('answers pipelined requests in their order', async () => {
    const node = await servingHost();
    await node.push({
      web: serving(`
        if (request.url.endsWith('1')) await new Promise(resolve => setTimeout(resolve, 10));
        return new Response(new URL(request.url).pathname);
      `),
    });
    const socket = connect(node.http.port, '127.0.0.1').setEncoding('latin1');
    socket.write('GET /web/1 HTTP/1.1\r\nhost: a\r\n\r\nGET /web/2 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
    expect((await text(socket)).match(/^\/\d/gm)).toEqual(['/1', '/2']);
  });

  it('waits for a body that its client sends only after 100 Continue', async () => {
    const node = await servingHost();
    await node.push({ web: serving(`return new Response(await request.text())`) });
    const socket = connect(node.http.port, '127.0.0.1').setEncoding('latin1');
    const head =
      'POST /web/ HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 3\r\nconnection: close\r\n\r\n';
    socket.write(head);
    let all = '';
    for await (const chunk of socket as AsyncIterable<string>) {
      if (all === '') socket.write('abc');
      all += chunk;
    }
    expect([all.slice(0, 12), all.endsWith('abc')]).toEqual(['HTTP/1.1 100', true]);
  });

  it('leaves the head of a slow stream at once', async () => {
    const node = await servingHost();
    await node.push({ web: serving(`return new Response(new ReadableStream({}))`) });
    const client = new AbortController();
    const response = await node.get('/web/', { signal: client.signal });
    expect(response.status).toBe(200);
    client.abort();
    await expect.poll(() => node.server.callsInFlight).toBe(0);
  });
});
