import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Agent, request as nodeRequest } from 'node:http';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

import { describe, expect, it } from 'vitest';

import { shortRevision } from '../../../../protocol/revision.ts';
import { type Serving, serving, servingHosts } from './serving-host.ts';

const servingHost = servingHosts();

/** Resolves when no call is in flight. */
async function idle({ server }: Serving): Promise<void> {
  await expect.poll(() => server.callsInFlight).toBe(0);
}

/** What `hotcast errors web` shows of the node. */
function keptErrors({ server }: Serving) {
  return server.logs.errors.of('web').flatMap(({ errors }) => errors);
}

describe('a request', () => {
  it('is answered by the current version; headers name the version and the node', async () => {
    const node = await servingHost();
    for (const word of ['one', 'two']) {
      const [bundle] = await node.push({ web: serving(`return new Response('${word}')`) });
      const response = await node.get('/web/');
      expect(await response.text()).toBe(word);
      expect(response.headers.get('hotcast-node')).toBe('fred');
      expect(response.headers.get('hotcast-revision')).toBe(`web@${shortRevision(bundle?.revision ?? '')}`);
    }
  });

  it('is a real Request, with the name of the module in a header and not in the path', async () => {
    const node = await servingHost();
    const source = serving(`
      const again = new Request(request);
      return Response.json({
        url: again.url, method: again.method, prefix: again.headers.get('x-forwarded-prefix'), body: await again.text(),
      });
    `);
    await node.push({ web: source });
    const init = { method: 'PUT', body: 'a body', headers: { 'x-forwarded-prefix': '/spoofed' } };
    expect(await (await node.get('/web/hello?x=1', init)).json()).toEqual({
      url: `${node.base}/hello?x=1`,
      method: 'PUT',
      prefix: '/web',
      body: 'a body',
    });
  });

  it('is redirected to the path with the slash that relative links need', async () => {
    const node = await servingHost();
    await node.push({ web: serving(`return new Response(request.method + new URL(request.url).pathname)`) });
    const response = await node.get('/web?x=1');
    expect([response.status, response.headers.get('location')]).toEqual([308, '/web/?x=1']);
    expect(await (await node.get('/web', { method: 'POST' })).text()).toBe('POST/');
  });

  it('is a call in flight until its body is sent', async () => {
    const node = await servingHost();
    const source = serving(`
      const { readable, writable } = new TransformStream();
      globalThis.httpTestWriter = writable.getWriter();
      void globalThis.httpTestWriter.write(new TextEncoder().encode('begun '));
      return new Response(readable);
    `);
    await node.push({ web: source });
    const response = await node.get('/web/');
    const reader = response.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('begun ');
    expect(node.server.describe()['web']).toMatchObject({ inFlight: 1, calls: 0 });

    await node.push({ web: serving(`return new Response('new')`) });
    expect(node.server.describeDraining()).toMatchObject([{ module: 'web', inFlight: 1, heldBy: 'GET /web/' }]);
    expect(await (await node.get('/web/')).text()).toBe('new');
    const { httpTestWriter } = globalThis as unknown as { httpTestWriter: WritableStreamDefaultWriter };
    await httpTestWriter.write(new TextEncoder().encode('ended'));
    await httpTestWriter.close();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('ended');
    expect((await reader?.read())?.done).toBe(true);
    await idle(node);
    expect(node.server.describeDraining()).toEqual([]);
  });

  it('runs on its version when that is replaced before the request is made', async () => {
    const node = await servingHost();
    const waiting = (word: string): string =>
      serving(`await new Promise(resolve => setTimeout(resolve, 1)); return new Response('${word}')`);
    await node.push({ web: waiting('old') });
    const [next] = await node.compile({ web: waiting('new') });
    if (next === undefined) throw new Error('not compiled');
    // Runs after the node has chosen the version of the request.
    const onRequest = (): void => queueMicrotask(() => void node.load(next));
    subscribe('http.server.request.start', onRequest);
    const first = node.get('/web/');
    expect(await (await first).text()).toBe('old');
    unsubscribe('http.server.request.start', onRequest);
    expect(await (await node.get('/web/')).text()).toBe('new');
  });

  it('ends, and its signal is aborted, when the client disconnects', async () => {
    const node = await servingHost();
    const source = `
      export const seen: string[] = [];
      export default { fetch(request: Request) {
        request.signal.addEventListener('abort', () => seen.push('aborted'));
        return new Response(new ReadableStream({
          start: stream => stream.enqueue(new TextEncoder().encode('x')),
          cancel: () => void seen.push('cancelled'),
        }));
      } };
      export const what = () => seen.toSorted();
    `;
    await node.push({ web: source });
    const client = new AbortController();
    const response = await node.get('/web/', { signal: client.signal });
    await response.body?.getReader().read();
    client.abort();
    await idle(node);
    expect(await node.value('web', 'what')).toEqual(['aborted', 'cancelled']);
    expect(node.server.describe()['web']).toMatchObject({ errors: 0 });
  });

  it('is closed by a forced purge, after the module could end it on its signal', async () => {
    const node = await servingHost();
    const source = serving(`
      const encode = (text: string) => new TextEncoder().encode(text);
      return new Response(new ReadableStream({ start(stream) {
        stream.enqueue(encode('begun '));
        if (request.url.endsWith('polite')) {
          import.meta.hot.signal.addEventListener('abort', () => { stream.enqueue(encode('bye')); stream.close(); });
        }
      } }));
    `);
    await node.push({ web: source });
    const polite = await node.get('/web/polite');
    const rude = await node.get('/web/rude');
    await node.push({ web: serving(`return new Response('new')`) });
    node.server.purge('web');
    expect(await polite.text()).toBe('begun bye');
    await expect(rude.text()).rejects.toThrow('terminated');
    await idle(node);
  });

  it('leaves its connection usable for the next request, also when the module has not read its body', async () => {
    const node = await servingHost();
    await node.push({ web: serving(`return new Response(request.method)`) });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (const [method, body] of [
      ['POST', Buffer.alloc(3_000_000)],
      ['GET', ''],
      ['POST', 'x'],
      ['GET', ''],
    ] as const) {
      const sent = nodeRequest(`${node.base}/web/`, { agent, method }).end(body);
      const [response] = (await once(sent, 'response')) as [NodeJS.ReadableStream];
      expect(await text(response)).toBe(method);
      ports.add(sent.socket?.localPort);
    }
    agent.destroy();
    expect(ports.size).toBe(1);
  });

  it('carries large bodies in both directions at the same time', async () => {
    const node = await servingHost();
    await node.push({ web: serving(`return new Response(request.body)`) });
    const body = new Uint8Array(20_000_000).map((_, index) => index);
    const response = await node.get('/web/', { method: 'POST', body });
    expect(Buffer.compare(body, new Uint8Array(await response.arrayBuffer()))).toBe(0);
    await idle(node);
  });
});

describe('an error in fetch', () => {
  it.each([
    ['thrown at once', `throw new RangeError('no rocks')`],
    ['a promise that fails', `await null; throw new RangeError('no rocks')`],
  ])('is answered with 500, logged with a mapped stack and counted: %s', async (_, body) => {
    const node = await servingHost();
    await node.push({ web: `export const x = 1;\n${serving(body)}` });
    const response = await node.get('/web/');
    expect([response.status, await response.text()]).toEqual([
      500,
      'module web failed on node fred; its log says why\n',
    ]);
    expect(response.headers.get('hotcast-revision')).toMatch(/^web@/);
    await idle(node);
    expect(node.server.describe()['web']).toMatchObject({ calls: 1, errors: 1 });
    const logged = node.log.logged.find(({ message }) => message === 'error in a request');
    expect(logged?.fields).toMatchObject({ module: 'web', err: { type: 'RangeError', message: 'no rocks' } });
    expect(JSON.stringify(logged?.fields)).toMatch(/web@[0-9a-f]{12} modules\/web\.ts:2:/);
    expect(keptErrors(node)).toMatchObject([{ count: 1, error: { type: 'RangeError' } }]);
  });

  it('that a framework has caught is counted by the status 500, and kept with the path', async () => {
    const node = await servingHost();
    await node.push({
      web: serving(`return new Response('', { status: Number(new URL(request.url).pathname.slice(1)) })`),
    });
    for (const status of [500, 404, 503]) expect((await node.get(`/web/${status}?secret=x`)).status).toBe(status);
    await idle(node);
    expect(node.server.describe()['web']).toMatchObject({ calls: 3, errors: 1 });
    const error = { type: 'response', message: expect.stringContaining('500') as unknown };
    expect(keptErrors(node)).toMatchObject([{ count: 1, where: 'GET /web/500', error }]);
  });

  it('is also a result that is not a Response', async () => {
    const node = await servingHost();
    await node.push({ web: serving(`return 'text'`) });
    expect((await node.get('/web/')).status).toBe(500);
    await idle(node);
    expect(node.server.describe()['web']).toMatchObject({ errors: 1 });
  });

  it('ends the connection when half of the body was sent, and is counted once', async () => {
    const node = await servingHost();
    const source = serving(`
      let pulled = 0;
      return new Response(new ReadableStream({ pull(stream) {
        if (++pulled > 3) throw new Error('no more rocks');
        stream.enqueue(new TextEncoder().encode('rock '));
      } }));
    `);
    await node.push({ web: source });
    await expect(node.get('/web/').then(response => response.text())).rejects.toThrow(TypeError);
    await idle(node);
    expect(node.server.describe()['web']).toMatchObject({ calls: 1, errors: 1 });
    expect(node.log.logged.filter(({ message }) => message === 'error in a request')).toHaveLength(1);
  });
});

describe('a request that no module serves', () => {
  it('is a 404 that names module and node', async () => {
    const node = await servingHost();
    await node.push({ demo: 'export const add = (x: number, y: number) => x + y;' });
    const answers = await Promise.all(['/nowhere/', '/demo/', '/No'].map(path => node.get(path)));
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
    expect(answers.map(({ headers }) => headers.get('hotcast-node'))).toEqual(['fred', 'fred', 'fred']);
    expect(await Promise.all(answers.map(answer => answer.text()))).toEqual([
      'module nowhere is not loaded on node fred\n',
      'module demo on node fred has no default export that serves HTTP\n',
      'no module is called "No"\n',
    ]);
  });

  it('is a 400 for a method that Request does not allow', async () => {
    const node = await servingHost();
    await node.push({ web: serving(`return new Response()`) });
    const sent = nodeRequest(`${node.base}/web/`, { method: 'TRACE' }).end();
    const [response] = (await once(sent, 'response')) as [{ statusCode: number }];
    expect(response.statusCode).toBe(400);
  });
});

describe("the node's own page", () => {
  it('lists the served modules', async () => {
    const node = await servingHost();
    const [web] = await node.push({ web: serving(`return new Response()`), demo: 'export const x = 1;' });
    const page = await node.get('/');
    expect([page.status, await page.text()]).toEqual([200, `fred\n/web/ web@${shortRevision(web?.revision ?? '')}\n`]);
  });
});
