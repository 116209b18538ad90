import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { Server } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

import { afterEach, describe, expect, it } from 'vitest';

import { type Serving, servingHosts } from './serving-host.ts';

const servingHost = servingHosts();

/** A module whose `fetch` returns no promise. */
const atOnce = (body: string): string => `export default { fetch(request: Request) { ${body} } };`;

/** What a server answers to these bytes, until it closes the connection. */
async function sent({ http }: Serving, bytes: string): Promise<string> {
  const socket = connect(http.port, '127.0.0.1');
  socket.end(bytes);
  return text(socket);
}

const request = (head: string, body = ''): string => `${head} HTTP/1.1\r\nhost: bedrock\r\n\r\n${body}`;

describe('a request that is answered at once', () => {
  it.each([
    ['a text', `return new Response('hello')`, { status: 200, errors: 0 }],
    ['no body', `return new Response(null, { status: 204 })`, { status: 204, errors: 0 }],
    ['the status 500', `return new Response('hello', { status: 500 })`, { status: 500, errors: 1 }],
    ['what it throws', `throw new RangeError('no rocks')`, { status: 500, errors: 1 }],
    ['what is no response', `return { then: 'hello' }`, { status: 500, errors: 1 }],
    [
      'a header that HTTP does not allow',
      `return new Response('', { headers: { a: '\\u{1}' } })`,
      { status: 500, errors: 1 },
    ],
  ])('with %s is counted, and has ended', async (_, source, { status, errors }) => {
    const node = await servingHost();
    await node.push({ web: atOnce(source) });
    for (const method of ['GET', 'HEAD', 'POST']) {
      const body = method === 'POST' ? { body: 'rocks' } : {};
      expect((await node.get('/web/', { method, ...body })).status).toBe(status);
    }
    await expect.poll(() => node.server.callsInFlight).toBe(0);
    expect(node.server.describe()['web']).toMatchObject({
      calls: 3,
      requests: 3,
      errors: 3 * errors,
      inFlight: 0,
    });
    const kept = node.server.logs.errors.of('web').flatMap(each => each.errors);
    expect(kept.reduce((sum, { count }) => sum + count, 0)).toBe(3 * errors);
  });

  it('holds its version while the client has not taken the whole response', async () => {
    const node = await servingHost();
    await node.push({ web: atOnce(`return new Response('x'.repeat(50_000_000))`) });
    const socket = connect(node.http.port, '127.0.0.1');
    socket.write(request('GET /web/'));
    await once(socket, 'readable');
    await node.push({ web: atOnce(`return new Response('new')`) });
    expect(node.server.describeDraining()).toMatchObject([{ module: 'web', inFlight: 1, heldBy: 'GET /web/' }]);
    socket.end();
    expect((await text(socket)).length).toBeGreaterThan(50_000_000);
    await expect.poll(() => node.server.describeDraining()).toEqual([]);
  });

  it('is in its order when others come before it, on the same connection', async () => {
    const node = await servingHost();
    await node.push({
      web: atOnce(`
        if (request.url.endsWith('late')) return new Promise(resolve => setImmediate(() => resolve(new Response('late'))));
        return new Response('early');
      `),
    });
    const both = await sent(node, request('GET /web/late') + request('GET /web/early'));
    expect(both).toMatch(/^HTTP\/1\.1 200.*\r\n\r\nlateHTTP\/1\.1 200.*\r\n\r\nearly$/s);
    await expect.poll(() => node.server.callsInFlight).toBe(0);
    expect(node.server.describe()['web']).toMatchObject({ calls: 2 });
  });

  it('can have a body that nobody reads', async () => {
    const node = await servingHost();
    await node.push({ web: atOnce(`return new Response(request.method)`) });
    const head = (method: string): string =>
      `${method} /web/ HTTP/1.1\r\nhost: bedrock\r\ncontent-length: 5\r\n\r\nrocks`;
    const answers = await sent(node, head('GET') + head('POST') + head('GET'));
    expect(answers.match(/(?<=\r\n\r\n)[A-Z]+?(?=HTTP|$)/g)).toEqual(['GET', 'POST', 'GET']);
  });
});

describe('a request that a tracer sees', () => {
  const emit = Reflect.get(Server.prototype, 'emit') as (...args: unknown[]) => boolean;
  afterEach(() => void Reflect.deleteProperty(Server.prototype, 'emit'));

  it("runs in the tracer's context", async () => {
    const traces = new AsyncLocalStorage<string>();
    Object.assign(globalThis, { httpTestTraces: traces });
    const node = await servingHost();
    await node.push({
      web: `
        declare const httpTestTraces: { getStore(): string | undefined };
        ${atOnce('return new Response(httpTestTraces.getStore())')}
      `,
    });
    Server.prototype.emit = function (this: Server, ...args: unknown[]) {
      return traces.run('a trace', () => Reflect.apply(emit, this, args));
    };
    expect(await (await node.get('/web/')).text()).toBe('a trace');
    Reflect.deleteProperty(Server.prototype, 'emit');
    expect(await (await node.get('/web/')).text()).toBe('');
  });
});
