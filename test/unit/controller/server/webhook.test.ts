import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { startWebhook, type Webhook } from '../../../../controller/src/server/webhook/webhook.ts';
import { recordingLog } from '../../fixtures.ts';
import { MemoryAudit } from '../store/memory-audit.ts';

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly position: number;
}

const secret = randomBytes(32);
const ends: AsyncDisposable[] = [];
let folder = '';
let server: Server;
let port = 0;
let received: Received[] = [];
/** What the receiver answers next: 200 when there is nothing. */
let answers: (number | 'cut')[] = [];
let audit: MemoryAudit;
const log = recordingLog();

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hotcast-webhook-'));
  [received, answers, audit] = [[], [], new MemoryAudit()];
  log.logged.length = 0;
  server = createServer((request, response) => void receive(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  port = typeof address === 'object' ? (address?.port ?? 0) : 0;
});

async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request);
  const { data } = JSON.parse(body) as { data: { position: number } };
  received.push({ headers: request.headers, body, position: data.position });
  const answer = answers.shift() ?? 200;
  if (answer === 'cut') request.socket.destroy();
  else response.writeHead(answer, { location: '/elsewhere' }).end('thanks');
}

afterEach(async () => {
  await Promise.all(ends.splice(0).map(end => end[Symbol.asyncDispose]()));
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

const positionFile = (): string => join(folder, 'position');

async function start(): Promise<Webhook> {
  const endpoint = { url: new URL(`http://127.0.0.1:${port}/hook?token=secret`), secret };
  const webhook = startWebhook({ endpoint, cookie: 'dino', audit, positionFile: positionFile(), log, haste: 200 });
  ends.push(webhook);
  await expect.poll(() => existsSync(positionFile())).toBe(true);
  return webhook;
}

const positions = (): number[] => received.map(({ position }) => position);
const write = (count: number): void => Array.from({ length: count }, () => audit.write()).forEach(() => undefined);

describe('a webhook', () => {
  it('gets what happens from now on, in order, signed', async () => {
    write(3);
    await start();
    write(2);
    await expect.poll(positions).toEqual([4, 5]);
    const [first] = received;
    const { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': signature } = first?.headers ?? {};
    const wanted = createHmac('sha256', secret)
      .update(`${String(id)}.${String(seconds)}.${first?.body}`)
      .digest('base64');
    expect(signature).toBe(`v1,${wanted}`);
    expect(id).toBe('dino.4.1');
    expect(Math.abs(Number(seconds) - Date.now() / 1_000)).toBeLessThan(5);
    expect(JSON.parse(first?.body ?? '')).toMatchObject({
      type: 'hotcast.node',
      cookie: 'dino',
      data: { kind: 'node', node: 'fred', change: 'started' },
    });
  });

  it('that fails says so to whoever asks, until it takes events again', async () => {
    const { delivery } = await start();
    const where = `127.0.0.1:${port}`;
    expect(delivery()).toEqual({ where, position: 0, failure: null, leftOut: 0 });
    answers = Array.from({ length: 6 }, () => 503);
    write(2);
    await expect.poll(() => delivery().failure).toMatchObject({ why: 'HTTP 503' });
    expect(delivery().position).toBe(0);
    await expect.poll(delivery).toEqual({ where, position: 2, failure: null, leftOut: 0 });
    answers = [400, 400, 400, 400, 400];
    write(1);
    await expect.poll(() => delivery().leftOut).toBe(1);
  });

  it('gets an event again until it takes it, and the others after it', async () => {
    await start();
    answers = [500, 'cut', 302, 404, 200];
    write(2);
    await expect.poll(positions).toEqual([1, 1, 1, 1, 1, 2]);
    expect(new Set(received.slice(0, 5).map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    await expect.poll(() => readFileSync(positionFile(), 'utf8')).toBe('2');
    expect(log.logged).toHaveLength(2);
    expect(JSON.stringify(log.logged)).not.toContain('token');
  });

  it('does not get an event any more that it has rejected five times', async () => {
    await start();
    answers = [400, 413, 415, 422, 400];
    write(2);
    await expect.poll(positions).toEqual([1, 1, 1, 1, 1, 2]);
  });

  it('goes on from what was taken when the controller starts again', async () => {
    const webhook = await start();
    write(1);
    await expect.poll(positions).toEqual([1]);
    await expect.poll(() => readFileSync(positionFile(), 'utf8')).toBe('1');
    await webhook[Symbol.asyncDispose]();
    write(2);
    await start();
    await expect.poll(positions).toEqual([1, 2, 3]);
  });

  it('does not hold up the end of the controller', async () => {
    const webhook = await start();
    server.closeAllConnections();
    server.close();
    write(1);
    await expect.poll(() => log.logged.length).toBe(1);
    await webhook[Symbol.asyncDispose]();
    expect(readFileSync(positionFile(), 'utf8')).toBe('0');
  });
});
