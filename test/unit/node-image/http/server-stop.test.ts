import { Agent, type IncomingMessage, request as nodeRequest } from 'node:http';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

import { describe, expect, it, vi } from 'vitest';

import { latch } from '../../fixtures.ts';
import { serving, servingHosts } from './serving-host.ts';

const servingHost = servingHosts();

describe('the stop of an HTTP server', () => {
  it('finishes running requests, closes each connection after its next response, and accepts no new ones', async () => {
    const node = await servingHost();
    const { opened, open } = latch();
    Object.assign(globalThis, { httpTestGate: opened });
    await node.push({ web: serving(`await globalThis.httpTestGate; return new Response('whole')`) });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const first = nodeRequest(`${node.base}/`, { agent }).end();
    const [warm] = (await once(first, 'response')) as [NodeJS.ReadableStream];
    await text(warm);
    const slow = node.get('/web/');
    await expect.poll(() => node.server.callsInFlight).toBe(1);
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
      const sent = nodeRequest(`${node.base}/`, { agent }).end();
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      await text(response);
      return response.headers.connection;
    };
    await Promise.all(agents.map(page));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const stopped = node.http.stop(60_000);
      for (const agent of agents) {
        // Together these are longer than a server waits without a request.
        await vi.advanceTimersByTimeAsync(400);
        expect(await page(agent)).toBe('close');
      }
      await vi.advanceTimersByTimeAsync(500);
      await stopped;
    } finally {
      vi.useRealTimers();
    }
  });

  it('closes idle connections after a moment, and each other one with the end of its response', async () => {
    const node = await servingHost();
    const { opened, open } = latch();
    Object.assign(globalThis, { httpTestGate: opened });
    const source = serving(`return new Response(new ReadableStream({ async start(stream) {
      stream.enqueue(new TextEncoder().encode('begun '));
      await globalThis.httpTestGate;
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
