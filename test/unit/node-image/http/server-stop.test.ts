import { Agent, type IncomingMessage, request as nodeRequest } from 'node:http';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

import { afterEach, describe, expect, it, vi } from 'vitest';

import { latch } from '../../fixtures.ts';
import { serving, servingHosts } from './serving-host.ts';

const servingHost = servingHosts();

afterEach(() => void vi.useRealTimers());

/** From now on time passes only when a test says so: a server waits half a second for requests. */
const stopClock = (): void => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });

describe('the stop of an HTTP server', () => {
  it('begins when the proxy that checks it has seen twice that it stops; requests are served until then', async () => {
    const node = await servingHost();
    await node.push({ web: serving(`return new Response('served')`) });
    const check = async (): Promise<number> => (await node.get('/')).status;
    expect(await check()).toBe(200);
    let isWithdrawn = false;
    const withdrawn = node.http.withdraw(60_000).finally(() => (isWithdrawn = true));
    expect(await check()).toBe(503);
    const page = await node.get('/', { headers: { 'x-forwarded-for': '192.0.2.1' } });
    expect([page.status, (await node.get('/web/')).status]).toEqual([200, 200]);
    expect(isWithdrawn).toBe(false);
    expect(await check()).toBe(503);
    await withdrawn;
    stopClock();
    const stopped = node.http.stop(60_000);
    // The proxy can have connected before it saw the answer.
    const late = await node.get('/web/', { method: 'POST' });
    expect([late.headers.get('connection'), await late.text()]).toEqual(['close', 'served']);
    await vi.advanceTimersByTimeAsync(510);
    await stopped;
    await expect(node.get('/web/')).rejects.toThrow('fetch failed');
  });

  it('finishes running requests, closes each connection after its next response, and accepts no new ones', async () => {
    const node = await servingHost();
    const { opened, open } = latch();
    Object.assign(globalThis, { httpTestBarrier: opened });
    await node.push({ web: serving(`await globalThis.httpTestBarrier; return new Response('whole')`) });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const first = nodeRequest(`${node.base}/`, { agent }).end();
    const [warm] = (await once(first, 'response')) as [NodeJS.ReadableStream];
    await text(warm);
    const slow = node.get('/web/');
    await expect.poll(() => node.server.callsInFlight).toBe(1);
    stopClock();
    void node.http.stop(60_000);
    const last = nodeRequest(`${node.base}/`, { agent }).end();
    const [page] = (await once(last, 'response')) as [NodeJS.ReadableStream & { headers: object; statusCode: number }];
    expect(page.headers).toMatchObject({ connection: 'close' });
    expect(page.statusCode).toBe(503);
    await text(page);
    await expect(node.get('/').then(response => response.status)).rejects.toThrow('fetch failed');
    open();
    const response = await slow;
    expect(response.headers.get('connection')).toBe('close');
    expect(await response.text()).toBe('whole');
    agent.destroy();
  });

  it('keeps idle connections as long as requests come', async () => {
    const node = await servingHost();
    const agents = Array.from({ length: 4 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    const page = async (agent: Agent): Promise<string | undefined> => {
      const sent = nodeRequest(`${node.base}/web/`, { agent }).end();
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      await text(response);
      return response.headers.connection;
    };
    await Promise.all(agents.map(page));
    stopClock();
    const stopped = node.http.stop(60_000);
    for (const agent of agents) {
      // Together these are longer than a server waits without a request.
      await vi.advanceTimersByTimeAsync(400);
      expect(await page(agent)).toBe('close');
    }
    await vi.advanceTimersByTimeAsync(500);
    await stopped;
  });

  it('closes idle connections after a moment, and each other one with the end of its response', async () => {
    const node = await servingHost();
    const { opened, open } = latch();
    Object.assign(globalThis, { httpTestBarrier: opened });
    const source = serving(`return new Response(new ReadableStream({ async start(stream) {
      stream.enqueue(new TextEncoder().encode('begun '));
      await globalThis.httpTestBarrier;
      stream.enqueue(new TextEncoder().encode('ended'));
      stream.close();
    } }));`);
    await node.push({ web: source });
    const agent = new Agent({ keepAlive: true });
    const connect = async (path: string): Promise<[IncomingMessage, Promise<unknown>]> => {
      const sent = nodeRequest(`${node.base}${path}`, { agent }).end();
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      return [response, once(response.socket, 'close')];
    };
    const [stream, streamClosed] = await connect('/web/');
    const [page, idleClosed] = await connect('/');
    await text(page);
    await node.http.stop(60_000);
    await idleClosed;
    open();
    expect(await text(stream)).toBe('begun ended');
    await streamClosed;
    agent.destroy();
  });
});
