import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';

import { describe, expect } from 'vitest';

import { shortRevision } from '../../../protocol/revision.ts';
import { clusterTest } from '../../support/cluster-test.ts';
import { HttpLoad } from '../../support/http-load.ts';
import { Talk } from '../../support/talk.ts';

const it = clusterTest({ nodes: 2 }).extend('web', { scope: 'file' }, async ({ cluster }) => {
  const proxy = await cluster.addProxy();
  /** The nodes that answer, asked until so many have. */
  const answering = async (count: number): Promise<string[]> => {
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
  await answering(2);
  return { proxy, url: (path: string): string => `http://${proxy}${path}`, answering };
});

/** How many parts a stream has, and how far they are apart (milliseconds). */
const PARTS = 20;
const APART = 100;

/** Says its name, streams it, and takes connections. */
const version = (name: string): string => `
  const sleep = (time: number) => new Promise(resolve => setTimeout(resolve, time));
  const encode = (text: string) => new TextEncoder().encode(text);
  async function* parts() {
    for (let part = 1; part <= ${PARTS}; part += 1) { yield encode('${name} ' + part + '\\n'); await sleep(${APART}); }
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

describe('the example', () => {
  it('is served by every node through the one port, and says who answered', async ({ cluster, web }) => {
    const { revision } = await cluster.push('web');
    const nodes = new Set<string>();
    for (let ask = 0; ask < 8; ask += 1) {
      const response = await fetch(web.url('/web/hello/Fred'));
      expect(await response.text()).toBe('Hello Fred\n');
      expect(response.headers.get('hotcast-revision')).toBe(`web@${shortRevision(revision)}`);
      nodes.add(response.headers.get('hotcast-node') ?? '');
    }
    expect([...nodes].toSorted()).toEqual(['bambam', 'fred']);
    expect(await (await fetch(web.url('/web'))).text()).toContain('<a href="hello/Fred">');
  });

  it('streams events, and chats', async ({ web }) => {
    const stream = await fetch(web.url('/web/ticks'));
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    const reader = stream.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('event: tick\ndata: 1\n\n');
    await reader?.cancel();

    const talk = await Talk.open(`ws://${web.proxy}/web/`);
    expect(await talk.next()).toBe('welcome');
    expect(await talk.ask('hi')).toBe('somebody says: hi');
    talk.close();
  });
});

describe('a request', () => {
  it('streams both ways at once', async ({ cluster, web }) => {
    cluster.writeModule('site', version('one'));
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

  it('is a 404 that names module and node where nothing is served', async ({ cluster, web }) => {
    await cluster.push('demo');
    for (const [path, why] of [
      ['/nowhere/', /^module nowhere is not loaded on node (fred|bambam)\n$/],
      ['/demo/', /^module demo on node (fred|bambam) has no default export with fetch\n$/],
    ] as const) {
      const response = await fetch(web.url(path));
      expect([response.status, await response.text()]).toEqual([404, expect.stringMatching(why)]);
    }
  });

  it('that fails is a 500, counted against the revision and logged where it was thrown', async ({ cluster, web }) => {
    cluster.writeModule('site', version('one'));
    await cluster.push('site');
    const response = await fetch(web.url('/site/throw'));
    expect(response.status).toBe(500);
    const node = response.headers.get('hotcast-node') ?? '';
    const line = await cluster.logged(node, ({ msg }) => msg === 'error in fetch');
    expect(line).toMatchObject({ module: 'site', err: { type: 'RangeError', message: 'no rocks' } });
    expect(line.err?.stack).toContain(`site@${line.revision} modules/site.ts:`);
    const counted = (await cluster.nodes()).find(each => each.node === node);
    expect(counted).toMatchObject({ modules: { site: { errors: 1 } } });
  });
});

describe('a swap', () => {
  it('under 200 open connections and 50 streams drops nothing', async ({ cluster, web }) => {
    const push = async (name: string): Promise<string> => {
      cluster.writeModule('site', version(name));
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
    // The third waits until the streams of the first have ended.
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
      new Set(load.answers.filter(({ askedAt }) => askedAt > time).map(({ revision }) => revision));
    expect(revisionsFrom(secondAt)).not.toContain(one);
    expect(revisionsFrom(thirdAt)).toEqual(new Set([three]));
  });

  it('is survived by WebSocket connections, which the newest version answers', async ({ cluster, web }) => {
    cluster.writeModule('site', version('one'));
    await cluster.push('site');
    const talks = await Promise.all(Array.from({ length: 20 }, () => Talk.open(`ws://${web.proxy}/site/`)));
    for (const name of ['one', 'two', 'three']) {
      cluster.writeModule('site', version(name));
      expect((await cluster.push('site')).exitCode).toBe(0);
      const answers = await Promise.all(talks.map(talk => talk.ask('who?')));
      expect(new Set(answers)).toEqual(new Set([`${name} who?`]));
    }
    for (const talk of talks) talk.close();
  });
});

describe('the proxy', () => {
  it('takes in a node that is added', async ({ cluster, web }) => {
    await cluster.addNodes(1);
    expect(await web.answering(3)).toEqual(['bambam', 'betty', 'fred']);
  });

  it('loses no request when a node stops, of any method', async ({ cluster, web }) => {
    cluster.writeModule('site', version('one'));
    await cluster.push('site');
    const load = new HttpLoad(web.url('/site/'), { connections: 60, methods: ['GET', 'POST'] });
    await load.rounds(2);
    await (await cluster.container('betty')).stop({ t: 20 });
    await load.rounds(3);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(load.answers.filter(({ status, body }) => status !== 200 || body !== 'one')).toEqual([]);
    expect(new Set(load.answers.map(({ node }) => node))).toEqual(new Set(['fred', 'bambam', 'betty']));
  });
});
