import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';

import { beforeEach, describe, expect, it } from 'vitest';

import { bundleOf, headOf, latch } from '../../../fixtures.ts';
import { listeningHost } from './listening-host.ts';

const { current, nextSequence, push, remove } = listeningHost();
let { server, log, port } = current();
beforeEach(() => ({ server, log, port } = current()));

/** A module with a server that answers with its version, and holds the answer to /held until `finish` is called. */
const web = (version: string, more = '') => `
  const { createServer } = require('node:http');
  const held = [];
  exports.finish = () => held.splice(0).forEach(response => response.end('${version}'));
  const server = createServer((request, response) => {
    if (request.url === '/held') { held.push(response); return; }
    if (request.url === '/throw') throw new Error('${version} threw');
    response.end('${version}');
  });
  server.listen(${port});
  ${more}
`;

interface Got {
  readonly body: string;
  readonly connection: string | undefined;
}

async function get(path = '/', agent: Agent | false = false): Promise<Got> {
  const sent = request({ port, path, agent }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { body, connection: response.headers.connection };
}

const codeOf = async (got: Promise<unknown>): Promise<unknown> =>
  got.then(
    () => null,
    (error: NodeJS.ErrnoException) => error.code,
  );

describe('a port on which a module listens', () => {
  it('passes to the next version: new connections, and the next request of an old one', async () => {
    using agent = keepAlive();
    push('web', web('v1'));
    expect(await get('/', agent.agent)).toEqual({ body: 'v1', connection: 'keep-alive' });
    expect(push('web', web('v2'))).toEqual({ status: 'ok' });
    expect(await get('/', agent.agent)).toEqual({ body: 'v2', connection: 'close' });
    expect((await get()).body).toBe('v2');
  });

  it('refuses no connection while versions replace each other', async () => {
    push('web', web('v0'));
    const stopping = new AbortController();
    const bodies = new Set<string>();
    const clients = Array.from({ length: 4 }, async () => {
      while (!stopping.signal.aborted) bodies.add((await get()).body);
    });
    for (let version = 1; version <= 20; version += 1) {
      push('web', web(`v${version}`));
      expect((await get()).body).toBe(`v${version}`);
    }
    stopping.abort();
    await Promise.all(clients);
    expect(bodies.size).toBeGreaterThan(1);
    expect(log.logged.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('lets connections wait for a version that listens later', async () => {
    push('web', web('v1'));
    expect((await get()).body).toBe('v1');
    push('web', web('v2').replace(/server\.listen.*/, `exports.start = () => server.listen(${port});`));
    const waiting = get();
    await new Promise(resolve => setImmediate(resolve));
    const version = server.current('web');
    if (version !== null)
      server.run(version, null, () => Reflect.apply(version.exports['start'] as () => void, null, []));
    expect((await waiting).body).toBe('v2');
  });

  it('stays with the old version when the new one throws', async () => {
    push('web', web('v1'));
    expect(push('web', web('v2', 'throw new Error("no");'))).toMatchObject({ reason: 'on_load_failure' });
    expect((await get()).body).toBe('v1');
  });

  it('is free after the module is removed', async () => {
    using agent = keepAlive();
    push('web', web('v1'));
    await get('/', agent.agent);
    remove('web');
    expect(await codeOf(get())).toBe('ECONNREFUSED');
    const other = createServer().listen(port);
    await once(other, 'listening');
    other.close();
  });

  it('is closed when the node stops, and requests that run end on their version', async () => {
    push('web', web('v1', `__hotcast_hot.signal.addEventListener('abort', () => exports.finish());`));
    const held = get('/held');
    await expect.poll(() => server.callsInFlight).toBe(1);
    server.closePorts();
    expect(await codeOf(get())).toBe('ECONNREFUSED');
    expect(server.callsInFlight).toBe(1);
    await server.stop(1_000);
    expect((await held).body).toBe('v1');
  });

  it('is free after the module has closed its server', async () => {
    push('web', web('v1', 'exports.close = () => new Promise(resolve => server.close(resolve));'));
    await Reflect.apply(server.current('web')?.exports['close'] as () => Promise<void>, null, []);
    expect(await codeOf(get())).toBe('ECONNREFUSED');
  });

  it('refuses another module that listens on it', async () => {
    push('web', web('v1'));
    expect(push('other', web('other'))).toMatchObject({
      status: 'refused',
      reason: 'on_load_failure',
      detail: expect.stringContaining(`EADDRINUSE: module web listens on *:${port}`) as string,
    });
    expect((await get()).body).toBe('v1');
  });

  it.for(['', `, '127.0.0.1'`, `, '0.0.0.0'`, `, 'localhost'`])(
    'refuses a module when it is taken: listen(port%s)',
    async host => {
      const taken = createServer().listen(port, '0.0.0.0');
      await once(taken, 'listening');
      const code = web('v1').replace(`listen(${port})`, `listen(${port}${host || ", '0.0.0.0'"})`);
      expect(push('web', code)).toMatchObject({
        reason: 'on_load_failure',
        detail: expect.stringContaining('is in use') as string,
      });
      taken.close();
      await once(taken, 'close');
      expect(push('web', `${code} // again`)).toEqual({ status: 'ok' });
      expect((await get()).body).toBe('v1');
    },
  );

  it('is not taken from the node by the same version twice', async () => {
    push('web', web('v1', `exports.again = require('node:http').createServer();`));
    const version = server.current('web');
    if (version === null) throw new Error('not loaded');
    const again = version.exports['again'] as ReturnType<typeof createServer>;
    const failed = once(again, 'error');
    server.run(version, null, () => again.listen(port));
    expect((await failed)[0]).toMatchObject({ code: 'EADDRINUSE' });
    expect((await get()).body).toBe('v1');
  });

  it('can be any free port', async () => {
    const found = new Promise<number>(resolve => Object.assign(globalThis, { __listening: resolve }));
    push('web', web('v1').replace(/listen\(\d+\)/, 'listen(0, () => __listening(server.address().port))'));
    port = await found;
    expect((await get()).body).toBe('v1');
  });
});

describe('a request to a server of a module', () => {
  it('ends on the version on which it started, which drains until then', async () => {
    push('web', web('v1'));
    const v1 = server.current('web');
    const held = get('/held');
    await expect.poll(() => server.describe()['web']?.inFlight).toBe(1);
    push('web', web('v2'));
    expect((await get()).body).toBe('v2');
    expect(server.describeDraining()).toMatchObject([{ module: 'web', heldBy: 'GET /held' }]);
    Reflect.apply(v1?.exports['finish'] as () => void, null, []);
    expect((await held).body).toBe('v1');
    await expect.poll(() => server.describeDraining()).toEqual([]);
  });

  it('waits while the data of its module changes, and gets the new version', async () => {
    push('web', web('v1'));
    const v1 = server.current('web');
    const held = get('/held');
    await expect.poll(() => server.describe()['web']?.inFlight).toBe(1);
    const next = { ...bundleOf('web', `${web('v2')} exports.codeChange = data => data;`), exports: ['codeChange'] };
    server.prepare(next);
    const head = headOf('web', next.revision, nextSequence());
    const loading = server.suspensions.whenQuiet([head], () => server.commit([head]));
    const arrived = requestTo('/');
    const waiting = get();
    await arrived;
    Reflect.apply(v1?.exports['finish'] as () => void, null, []);
    expect([(await held).body, (await waiting).body]).toEqual(['v1', 'v2']);
    expect(await loading).toMatchObject({ status: 'ok', waitedMs: expect.any(Number) as number });
  });

  it('of an open connection is answered after its module has closed the server', async () => {
    using agent = keepAlive();
    push('web', web('v1', 'exports.close = () => { server.close(); };'));
    const held = get('/held', agent.agent);
    await expect.poll(() => server.describe()['web']?.inFlight).toBe(1);
    const next = get('/', agent.agent);
    const version = server.current('web');
    Reflect.apply(version?.exports['close'] as () => void, null, []);
    Reflect.apply(version?.exports['finish'] as () => void, null, []);
    expect((await held).body).toBe('v1');
    // Node.js closes the connection after the response, or answers on it.
    expect(
      await next.then(
        ({ body }) => body,
        ({ code }: NodeJS.ErrnoException) => code,
      ),
    ).toMatch(/^(v1|ECONNREFUSED)$/);
  });

  it('that throws is an error of its version', async () => {
    const errors: unknown[] = [];
    const onError = (error: unknown): void => void (server.errors.countUncaught(error) && errors.push(error));
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException').on('uncaughtException', onError);
    try {
      push('web', web('v1'));
      const sent = request({ port, path: '/throw' }).end();
      sent.on('error', () => undefined);
      await expect.poll(() => server.describe()['web']?.errors).toBe(1);
      sent.destroy();
    } finally {
      process.off('uncaughtException', onError);
      for (const listener of listeners) process.on('uncaughtException', listener);
    }
    expect(errors).toHaveLength(1);
  });

  it('with the status 500 is an error of its version: frameworks catch what is thrown', async () => {
    push('web', web('v1', `server.prependListener('request', (_, response) => (response.statusCode = 500));`));
    await get();
    await expect.poll(() => server.describe()['web']?.errors).toBe(1);
    expect(server.logs.errors.of('web')).toMatchObject([{ errors: [{ where: 'GET /', error: { type: 'response' } }] }]);
  });
});

it('servers of the node itself listen as ever', async () => {
  const own = createTcpServer().listen(port);
  await once(own, 'listening');
  expect((own.address() as AddressInfo).port).toBe(port);
  own.close();
});

function keepAlive(): { readonly agent: Agent } & Disposable {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return { agent, [Symbol.dispose]: () => agent.destroy() };
}

/** Resolves when a server of this process gets a request to this path. */
async function requestTo(path: string): Promise<void> {
  const { opened: promise, open: resolve } = latch();
  const onRequest = (message: unknown): void => {
    if ((message as { readonly request: IncomingMessage }).request.url === path) resolve();
  };
  subscribe('http.server.request.start', onRequest);
  await promise;
  unsubscribe('http.server.request.start', onRequest);
}
