import { EventEmitter, once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { describe, expect, it } from 'vitest';

import { ConstantLoad } from '../restarts/constant-load.ts';

/** A server on a free port, closed with the test. */
async function serve(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { url, [Symbol.asyncDispose]: () => new Promise<void>(resolve => server.close(() => resolve())) };
}

const tally = (version: number): string => JSON.stringify({ version, node: 'fred', count: 1 });

const failures = ({ calls }: ConstantLoad) => calls.map(({ failure }) => failure).filter(failure => failure !== null);

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
    expect(failures(load)).toEqual([]);
  });

  it('times a call from when it was due, a period after the one before', async () => {
    await using server = await serve((_, response) => void response.end(tally(1)));
    await using load = new ConstantLoad(server.url, 50);
    await expect.poll(() => load.calls.length).toBeGreaterThanOrEqual(10);
    // Calls end in any order: those that were sent before others have all ended now.
    await load.stop();
    const due = load.calls.map(({ dueAt }) => dueAt).toSorted((a, b) => a - b);
    for (const [index, at] of due.entries()) expect(at - (due[0] ?? NaN)).toBeCloseTo(index * 20, 3);
  });

  it('distinguishes broken connections, other statuses and other answers from good answers', async () => {
    let turn = 0;
    await using server = await serve((_, response) => {
      turn += 1;
      if (turn === 1) response.destroy();
      else if (turn === 2) response.writeHead(503).end('no node is there\n');
      else if (turn === 3) response.end('hello');
      else response.end(tally(1));
    });
    await using load = new ConstantLoad(server.url, 50);
    await expect.poll(() => load.calls.length).toBeGreaterThanOrEqual(4);
    await load.stop();
    expect(failures(load).toSorted()).toEqual([
      'answer: hello',
      'connection: ECONNRESET',
      'status: 503 no node is there',
    ]);
  });

  it('fails a call that an old version answers when a newer one is expected', async () => {
    await using server = await serve((_, response) => void response.end(tally(1)));
    await using load = new ConstantLoad(server.url, 50);
    await load.seen(1, 1);
    load.expect(2);
    const expectedAt = performance.now();
    const since = () => load.calls.filter(({ dueAt }) => dueAt > expectedAt);
    await expect.poll(() => since().length).toBeGreaterThanOrEqual(5);
    expect(new Set(since().map(({ failure }) => failure))).toEqual(new Set(['stale: an old version on fred']));
  });

  it('waits for a version on a number of nodes, or on one node', async () => {
    let turn = 0;
    await using server = await serve((_, response) => {
      turn += 1;
      response.end(JSON.stringify({ version: turn < 5 ? 1 : 2, node: turn % 2 === 0 ? 'fred' : 'betty', count: turn }));
    });
    await using load = new ConstantLoad(server.url, 50);
    await load.seen(2, 'betty');
    await load.seen(2, 2);
    expect(load.calls.filter(call => call.tally?.version === 2).length).toBeGreaterThanOrEqual(2);
  });
});
