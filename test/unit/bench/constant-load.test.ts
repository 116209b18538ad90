import { EventEmitter, once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { describe, expect, it } from 'vitest';

import type { Call } from '../../../bench/restarts/call.ts';
import { ConstantLoad } from '../../../bench/restarts/constant-load.ts';

/** A server on a free port, closed with the test. */
async function serve(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { url, [Symbol.asyncDispose]: () => new Promise<void>(resolve => server.close(() => resolve())) };
}

const tally = (version: number): string => JSON.stringify({ version, node: 'fred', count: 1 });

/** Resolves when the load has so many calls that ended. */
async function ended(load: ConstantLoad, calls: number): Promise<void> {
  while (load.calls.length < calls) await new Promise(resolve => setTimeout(resolve, 5));
}

describe('a constant load', () => {
  it('goes on sending while no call is answered', async () => {
    const waiting: ServerResponse[] = [];
    const asked = new EventEmitter();
    await using server = await serve((_, response) => {
      waiting.push(response);
      asked.emit('asked');
    });
    await using load = new ConstantLoad(server.url, 50);
    while (waiting.length < 10) await once(asked, 'asked');
    expect(load.calls).toEqual([]);
    const stopped = load.stop();
    asked.on('asked', () => waiting.at(-1)?.end(tally(1)));
    for (const response of waiting) response.end(tally(1));
    await stopped;
    expect(load.calls.length).toBeGreaterThanOrEqual(10);
    expect(load.calls.filter(({ failure }) => failure !== null)).toEqual([]);
  });

  it('counts from when a call was due, each a period after the one before', async () => {
    await using server = await serve((_, response) => void response.end(tally(1)));
    await using load = new ConstantLoad(server.url, 50);
    await ended(load, 10);
    await load.stop();
    const due = load.calls.map(({ dueAt }) => dueAt).toSorted((a, b) => a - b);
    for (const [index, at] of due.entries()) expect(at - (due[0] ?? NaN)).toBeCloseTo(index * 20, 3);
  });

  it('tells broken connections, other statuses and other answers from good ones', async () => {
    let turn = 0;
    await using server = await serve((_, response) => {
      turn += 1;
      if (turn === 1) response.destroy();
      else if (turn === 2) response.writeHead(503).end('no node is there\n');
      else if (turn === 3) response.end('hello');
      else response.end(tally(1));
    });
    await using load = new ConstantLoad(server.url, 50);
    await ended(load, 4);
    const failed = load.calls.filter(({ failure }) => failure !== null);
    expect(failed.map(({ failure, detail }) => `${failure}: ${detail}`).toSorted()).toEqual([
      'answer: hello',
      'connection: ECONNRESET',
      'status: 503 no node is there',
    ]);
  });

  it('fails a call that an old version answers once a newer one is expected', async () => {
    await using server = await serve((_, response) => void response.end(tally(1)));
    await using load = new ConstantLoad(server.url, 50);
    await load.seen(1, 1);
    load.expect(2);
    const expectedAt = performance.now();
    const since = (): Call[] => load.calls.filter(({ dueAt }) => dueAt > expectedAt);
    while (since().length < 5) await new Promise(resolve => setTimeout(resolve, 5));
    expect(new Set(since().map(({ failure }) => failure))).toEqual(new Set(['stale']));
  });

  it('gives the counter in the first answer of a version', async () => {
    let count = 40;
    await using server = await serve((_, response) => {
      count += 1;
      response.end(JSON.stringify({ version: 2, node: 'fred', count }));
    });
    await using load = new ConstantLoad(server.url, 50);
    expect(await load.seenOn('fred', 2)).toBe(41);
  });
});
