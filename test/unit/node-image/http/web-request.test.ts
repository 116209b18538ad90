import { request as nodeRequest } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

import { describe, expect, it } from 'vitest';

import { serving, servingHosts } from './serving-host.ts';

const servingHost = servingHosts();

/** What a module's `fetch` with this body answers to a request, as JSON. */
async function answer(body: string, init?: RequestInit, path = '/web/'): Promise<unknown> {
  const node = await servingHost();
  await node.push({ web: serving(body) });
  const response = await node.get(path, init);
  expect(response.status).toBe(200);
  return response.json();
}

const POST = { method: 'POST', body: '{"a":"é"}', headers: { 'content-type': 'application/json' } };

describe('the request of a module', () => {
  it.each([
    ['an instance', `request instanceof Request`, true],
    ['its tag', `Object.prototype.toString.call(request)`, '[object Request]'],
    ['its class', `request.constructor === Request && request.constructor.name`, 'Request'],
    ['its own keys', `Object.keys(request)`, []],
    ['method and url', `[request.method, new URL(request.url).pathname]`, ['POST', '/a%20b']],
    ['its defaults', `[request.redirect, request.cache, request.credentials]`, ['follow', 'default', 'same-origin']],
    ['a header', `[request.headers.get('Content-Type'), request.headers.has('nothing')]`, ['application/json', false]],
    ['the headers', `request.headers instanceof Headers && [...request.headers.keys()].includes('host')`, true],
    ['a copy of the headers', `new Headers(request.headers).get('content-type')`, 'application/json'],
    [
      'a changed header',
      `(request.headers.set('x', '1'), [request.headers.get('x'), request.headers.has('x')])`,
      ['1', true],
    ],
    ['a deleted header', `(request.headers.delete('content-type'), request.headers.get('content-type'))`, null],
    ['a method of the prototype', `await Request.prototype.text.call(request)`, POST.body],
    ['a text', `await request.text()`, POST.body],
    ['JSON', `await request.json()`, { a: 'é' }],
    ['bytes', `[(await request.bytes()).length, request.bodyUsed]`, [10, true]],
    ['a buffer', `(await request.arrayBuffer()).byteLength`, 10],
    ['a blob', `await (await request.blob()).text()`, POST.body],
    ['a stream', `await new Response(request.body).text()`, POST.body],
    ['a clone', `[await request.clone().text(), await request.text()]`, [POST.body, POST.body]],
    ['a Request of it', `await new Request(request).text()`, POST.body],
    ['a Request with its parts', `await new Request('http://a/', request).text()`, POST.body],
    ['a body read twice', `(await request.text(), await request.text().catch(error => error.name))`, 'TypeError'],
    [
      'a clone too late',
      `(await request.text(), (() => { try { request.clone(); } catch (error) { return error.name; } })())`,
      'TypeError',
    ],
    [
      'a real one after the body',
      `(await request.text(), await new Promise(resolve => resolve(new Request(request))).catch(error => error.name))`,
      'TypeError',
    ],
    ['a signal', `[request.signal instanceof AbortSignal, request.signal.aborted]`, [true, false]],
  ])('is as a real one: %s', async (_, expression, expected) => {
    expect(await answer(`return Response.json(${expression})`, POST, '/web/a%20b')).toEqual(expected);
  });

  it('reads a form', async () => {
    const body = new FormData();
    body.set('name', 'fred');
    const read = `return Response.json((await request.formData()).get('name'))`;
    expect(await answer(read, { method: 'POST', body })).toBe('fred');
  });

  it('has no body when it is a GET', async () => {
    expect(await answer(`return Response.json([request.body, await request.text(), request.bodyUsed])`)).toEqual([
      null,
      '',
      false,
    ]);
  });

  it('can be sent on with fetch', async () => {
    const node = await servingHost();
    await node.push({
      web: serving(`return fetch(new Request(request.url.replace(/\\/$/, '/up/'), request))`),
      up: serving(`return new Response(request.method + await request.text())`),
    });
    await node.push({ web: serving(`return fetch('${node.base}/up/', request)`) });
    expect(await (await node.get('/web/', POST)).text()).toBe(`POST${POST.body}`);
    await node.push({
      self: serving(
        `return request.headers.has('x-again') ? new Response('up') : again(request); function again(request: Request) { request.headers.set('x-again', '1'); return fetch(request); }`,
      ),
    });
    // Without the name of the module in its path, it is the node's own page.
    expect(await (await node.get('/self/')).text()).toContain('fred\n');
  });

  it('is no clone of itself, like a real one', async () => {
    const clone = (what: string): string =>
      `(() => { try { structuredClone(${what}); return ''; } catch (error) { return error.name; } })()`;
    const real = `new Request('http://a/')`;
    const [own, native] = (await answer(`return Response.json([${clone('request')}, ${clone(real)}])`)) as string[];
    if (process.versions.node.startsWith('20.')) return;
    expect(own).toBe(native);
  });

  it('gives a header that came twice as Headers gives it, and the URL as URL writes it', async () => {
    const node = await servingHost();
    await node.push({
      web: serving(`return Response.json([request.url, request.headers.get('x'), request.headers.get('from')])`),
    });
    const raw = async (head: string): Promise<unknown> => {
      const socket = connect(node.http.port, '127.0.0.1').setEncoding('latin1');
      socket.end(`${head}\r\nconnection: close\r\n\r\n`);
      return JSON.parse((await text(socket)).split('\r\n\r\n')[1] ?? '');
    };
    const twice = 'x: 1\r\nx: 2\r\nfrom: a\r\nfrom: b';
    expect(await raw(`GET /web/a/../b?<c> HTTP/1.1\r\nhost: Fred\r\n${twice}`)).toEqual([
      'http://fred/b?%3Cc%3E',
      '1, 2',
      'a, b',
    ]);
    expect(await raw(`GET /web/ HTTP/1.0`)).toEqual([`${node.base}/`, null, null]);
  });

  it('is aborted when its client leaves in the middle of the body, also if the signal is asked for later', async () => {
    const node = await servingHost();
    const source = `
      let seen: unknown = null;
      export default { async fetch(request: Request) {
        const failure = await request.text().catch((error: Error) => error);
        await new Promise(resolve => setTimeout(resolve, 1));
        seen = [failure instanceof Error, request.signal.aborted, request.signal.reason?.name];
        return new Response('late');
      } };
      export const what = () => seen;
    `;
    await node.push({ web: source });
    const client = nodeRequest(`${node.base}/web/`, { method: 'POST', headers: { 'content-length': 10 } });
    client.on('error', () => undefined).write('abc');
    await expect.poll(() => node.server.callsInFlight).toBe(1);
    client.destroy();
    await expect.poll(() => node.value('web', 'what')).toEqual([true, true, 'AbortError']);
    await expect.poll(() => node.server.callsInFlight).toBe(0);
    expect(node.server.describe()['web']).toMatchObject({ errors: 0 });
  });
});
