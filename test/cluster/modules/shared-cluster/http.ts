import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';

import { describe, expect } from 'vitest';

import { shortRevision } from '../../../../protocol/revision.ts';
import { HttpLoad } from '../../../support/http/http-load.ts';
import { WebSocketClient } from '../../../support/http/websocket-client.ts';
import { it as clusterIt } from './cluster.ts';

const it = clusterIt.extend('web', { scope: 'file' }, async ({ cluster }) => {
  const proxy = await cluster.addProxy();
  /** Sends requests until this number of nodes has answered. Returns their names. */
  const waitForNodes = async (count: number): Promise<string[]> => {
    const seen = new Set<string>();
    await expect
      .poll(
        async () => {
          const { headers, ok } = await fetch(`http://${proxy}/`);
          return ok ? seen.add(headers.get('hotcast-node') ?? '').size : 0;
        },
        { timeout: 30_000 },
      )
      .toBe(count);
    return [...seen].toSorted();
  };
  await waitForNodes(2);
  return { proxy, url: (path: string): string => `http://${proxy}${path}`, waitForNodes };
});

/** The number of parts of a stream, and the time between them (milliseconds). */
const PARTS = 20;
const PART_INTERVAL_MS = 100;

/** A module that responds with its version, streams it, and accepts WebSocket connections. */
const versionSource = (name: string): string => `
  const sleep = (time: number) => new Promise(resolve => setTimeout(resolve, time));
  const encode = (text: string) => new TextEncoder().encode(text);
  async function* parts() {
    for (let part = 1; part <= ${PARTS}; part += 1) { yield encode('${name} ' + part + '\\n'); await sleep(${PART_INTERVAL_MS}); }
  }
  export default {
    fetch(request: Request) {
      const { pathname } = new URL(request.url);
      if (pathname === '/echo') return new Response(request.body);
      if (pathname === '/throw') throw new RangeError('no rocks');
      return new Response(pathname === '/stream' ? ReadableStream.from(parts()) : '${name}');
    },
    websocket: {
      message(peer, message) { peer.send('${name} ' + message.text()); },
    } as Hotcast.WebSocketHooks,
  };
`;
const whole = (name: string): string => Array.from({ length: PARTS }, (_, part) => `${name} ${part + 1}\n`).join('');

describe('modules/web', () => {
  it('is served by every node through one port, with the node and the revision in the headers', async ({
    cluster,
    web,
  }) => {
    const { revision } = await cluster.push('web');
    const nodes = new Set<string>();
    for (let ask = 0; ask < 8; ask += 1) {
      const response = await fetch(web.url('/web/hello/Fred'));
      expect(await response.text()).toBe('Hello Fred\n');
      expect(response.headers.get('content-length')).toBe('11');
      expect(response.headers.get('hotcast-revision')).toBe(`web@${shortRevision(revision)}`);
      nodes.add(response.headers.get('hotcast-node') ?? '');
    }
    expect([...nodes].toSorted()).toEqual(['bambam', 'fred']);
    expect(await (await fetch(web.url('/web'))).text()).toContain('<a href="hello/Fred">');
  });

  it('streams events, and answers on a WebSocket connection', async ({ web }) => {
    const stream = await fetch(web.url('/web/ticks'));
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    const reader = stream.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('event: tick\ndata: 1\n\n');
    await reader?.cancel();

    const client = await WebSocketClient.open(`ws://${web.proxy}/web/`);
    expect(await client.next()).toBe('welcome');
    expect(await client.request('hi')).toBe('somebody says: hi');
    client.close();
  });
});

describe('a request', () => {
  it('streams in both directions at the same time', async ({ cluster, web }) => {
    cluster.writeModule('site', versionSource('one'));
    await cluster.push('site');
    const sent = request(web.url('/site/echo'), { method: 'POST', signal: AbortSignal.timeout(30_000) });
    sent.write('yabba');
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const parts = response.setEncoding('utf8')[Symbol.asyncIterator]();
    expect((await parts.next()).value).toBe('yabba');
    for (const part of ['dabba', 'doo']) {
      sent.write(part);
      expect((await parts.next()).value).toBe(part);
    }
    sent.end();
    expect((await parts.next()).done).toBe(true);
  });

  it('to a module that serves nothing gets a 404 with the module and the node', async ({ cluster, web }) => {
    await cluster.push('demo');
    for (const [path, why] of [
      ['/nowhere/', /^module nowhere is not loaded on node (fred|bambam)\n$/],
      ['/demo/', /^module demo on node (fred|bambam) has no default export that serves HTTP\n$/],
    ] as const) {
      const response = await fetch(web.url(path));
      expect([response.status, await response.text()]).toEqual([404, expect.stringMatching(why)]);
    }
  });

  it('that fails gets a 500, is counted against the revision, and is logged with its stack', async ({
    cluster,
    web,
  }) => {
    cluster.writeModule('site', versionSource('one'));
    await cluster.push('site');
    const response = await fetch(web.url('/site/throw'));
    expect(response.status).toBe(500);
    const node = response.headers.get('hotcast-node') ?? '';
    const line = await cluster.waitForLog(node, ({ msg }) => msg === 'error in a request');
    expect(line).toMatchObject({ module: 'site', err: { type: 'RangeError', message: 'no rocks' } });
    expect(line.err?.stack).toContain(`site@${line.revision} modules/site.ts:`);
    // The call ends after its response.
    const counted = async () => (await cluster.nodes()).find(each => each.node === node);
    await expect.poll(counted).toMatchObject({ modules: { site: { errors: 1 } } });
  });
});

describe('a client that goes away before its answer', () => {
  it('aborts the signal of its request, also behind the proxy', async ({ cluster, web }) => {
    cluster.writeModule(
      'patient',
      `export default { fetch: (request: Request) => new Promise<Response>((_, reject) => {
        console.log('waiting');
        request.signal.addEventListener('abort', () => { console.log('the client left'); reject(request.signal.reason); });
      }) };`,
    );
    await cluster.push('patient');
    const client = request(web.url('/patient/'));
    client.on('error', () => undefined).end();
    const logged = (text: string) =>
      Promise.any(
        ['fred', 'bambam'].map(node =>
          cluster.waitForLog(node, ({ module, msg }) => module === 'patient' && msg === text),
        ),
      );
    await logged('waiting');
    client.destroy();
    await logged('the client left');
    const inFlight = async () =>
      (await cluster.nodes()).map(node => node.status === 'present' && node.modules['patient']?.inFlight);
    await expect.poll(inFlight).toEqual([0, 0]);
  });
});

describe('a push', () => {
  it('during 200 open connections and 50 streams drops no request', async ({ cluster, web }) => {
    const push = async (name: string): Promise<string> => {
      cluster.writeModule('site', versionSource(name));
      const { exitCode, revision } = await cluster.push('site');
      expect(exitCode).toBe(0);
      return `site@${shortRevision(revision)}`;
    };
    const one = await push('one');
    const load = new HttpLoad(web.url('/site/'), { connections: 200 });
    await load.rounds(1);
    const streams = await Promise.all(Array.from({ length: 50 }, () => fetch(web.url('/site/stream'))));
    const bodies = Promise.all(streams.map(stream => stream.text()));
    const two = await push('two');
    const secondAt = performance.now();
    await load.rounds(1);
    // The third push waits until the streams of the first version have ended.
    const three = await push('three');
    const thirdAt = performance.now();
    await load.rounds(2);
    await load.stop();

    expect(new Set(streams.map(({ headers }) => headers.get('hotcast-revision')))).toEqual(new Set([one]));
    expect(new Set(await bodies)).toEqual(new Set([whole('one')]));
    expect(load.failures).toEqual([]);
    expect(load.connections).toBe(200);
    const named = new Map([[one, 'one'], [two, 'two'], [three, 'three']]); // prettier-ignore
    expect(load.answers.filter(({ status, revision, body }) => status !== 200 || named.get(revision) !== body)).toEqual(
      [],
    );
    const revisionsFrom = (time: number): Set<string> =>
      new Set(load.answers.filter(({ sentAt }) => sentAt > time).map(({ revision }) => revision));
    expect(revisionsFrom(secondAt)).not.toContain(one);
    expect(revisionsFrom(thirdAt)).toEqual(new Set([three]));
  });

  it('closes no WebSocket connection, and the newest version answers', async ({ cluster, web }) => {
    cluster.writeModule('site', versionSource('one'));
    await cluster.push('site');
    const clients = await Promise.all(
      Array.from({ length: 20 }, () => WebSocketClient.open(`ws://${web.proxy}/site/`)),
    );
    for (const name of ['one', 'two', 'three']) {
      cluster.writeModule('site', versionSource(name));
      expect((await cluster.push('site')).exitCode).toBe(0);
      const answers = await Promise.all(clients.map(client => client.request('who?')));
      expect(new Set(answers)).toEqual(new Set([`${name} who?`]));
    }
    for (const client of clients) client.close();
  });
});

describe('the proxy', () => {
  it('sends requests to a node that is added', async ({ cluster, web }) => {
    await cluster.addNodes(1);
    expect(await web.waitForNodes(3)).toEqual(['bambam', 'betty', 'fred']);
  });

  it('loses no request of any method when a node stops', async ({ cluster, web }) => {
    cluster.writeModule('site', versionSource('one'));
    await cluster.push('site');
    const methods = ['GET', 'POST'];
    // The proxy opens a connection of its own for the first request of each connection.
    const loads = [true, false].map(
      keepAlive => new HttpLoad(web.url('/site/'), { connections: 40, methods, keepAlive }),
    );
    await Promise.all(loads.map(load => load.rounds(2)));
    await (await cluster.container('betty')).stop({ t: 20 });
    await Promise.all(loads.map(load => load.rounds(3)));
    await Promise.all(loads.map(load => load.stop()));
    for (const { failures, answers } of loads) {
      expect(failures).toEqual([]);
      expect(answers.filter(({ status, body }) => status !== 200 || body !== 'one')).toEqual([]);
      expect(new Set(answers.map(({ node }) => node))).toEqual(new Set(['fred', 'bambam', 'betty']));
    }
  });
});
