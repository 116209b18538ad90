import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';

import { describe, expect, it } from 'vitest';

import { shortRevision } from '../../../../protocol/revision.ts';
import { type Serving, servingHosts } from './serving-host.ts';

const servingHost = servingHosts();

const IMPORTS = `import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';`;

/** A module whose default export is a server with this body of its listener. */
const server = (body: string, more = ''): string => `${IMPORTS}
  const server = createServer((request, response) => { ${body} });
  ${more}
  export default server;`;

const idle = async (node: Serving): Promise<void> => expect.poll(() => node.server.callsInFlight).toBe(0);
const errorsOf = (node: Serving): number | undefined => node.server.describe()['web']?.errors;

describe('a server that a module exports', () => {
  it('answers requests on the port of the node, without the name of the module in the path', async () => {
    const node = await servingHost();
    for (const word of ['one', 'two']) {
      const [bundle] = await node.push({
        web: server(
          `response.end(['${word}', request.method, request.url, request.headers['x-forwarded-prefix']].join(' '))`,
        ),
      });
      const response = await node.get('/web/hello?x=1', {
        method: 'PUT',
        headers: { 'x-forwarded-prefix': '/spoofed' },
      });
      expect(await response.text()).toBe(`${word} PUT /hello?x=1 /web`);
      expect(response.headers.get('hotcast-revision')).toBe(`web@${shortRevision(bundle?.revision ?? '')}`);
    }
    await idle(node);
    expect(node.server.describe()['web']).toMatchObject({ calls: 1, errors: 0 });
    expect(await (await node.get('/')).text()).toContain('/web/ web@');
  });

  it('holds its version until its response has ended', async () => {
    const node = await servingHost();
    await node.push({
      web: server(
        `response.write('begun '); held.push(response);`,
        'const held: ServerResponse[] = []; export const finish = () => held.map(response => response.end("ended")).length;',
      ),
    });
    const old = node.server.current('web');
    const response = await node.get('/web/');
    await node.push({ web: server(`response.end('new')`) });
    expect(node.server.describeDraining()).toMatchObject([{ module: 'web', inFlight: 1, heldBy: 'GET /web/' }]);
    expect(await (await node.get('/web/')).text()).toBe('new');
    Reflect.apply(old?.exports['finish'] as () => void, null, []);
    expect(await response.text()).toBe('begun ended');
    await expect.poll(() => node.server.describeDraining()).toEqual([]);
  });

  it('reads the body of a request by its events', async () => {
    const node = await servingHost();
    const body = `let read = ''; request.on('data', each => (read += each)).on('end', () => response.end(read));`;
    await node.push({ web: server(body) });
    expect(await (await node.get('/web/', { method: 'POST', body: 'yabba' })).text()).toBe('yabba');
  });

  it.for([
    ['throws', `throw new RangeError('no rocks');`],
    ['rejects', `return Promise.reject(new RangeError('no rocks'));`],
  ])('that %s gives a 500, and is counted and logged', async ([, body]) => {
    const node = await servingHost();
    await node.push({ web: server(body ?? '') });
    const response = await node.get('/web/');
    expect([response.status, await response.text()]).toEqual([500, expect.stringContaining('module web failed')]);
    await idle(node);
    expect(errorsOf(node)).toBe(1);
    const line = node.log.logged.find(({ message }) => message === 'error in a request');
    expect(line?.fields).toMatchObject({ err: { type: 'RangeError' } });
  });

  it('that rejects after its response is counted', async () => {
    const node = await servingHost();
    await node.push({
      web: server(`return (async () => {
        response.end('fine');
        await new Promise(resolve => response.once('close', resolve));
        throw new Error('late');
      })();`),
    });
    expect(await (await node.get('/web/')).text()).toBe('fine');
    await expect.poll(() => errorsOf(node)).toBe(1);
  });

  it('that has no listener for requests is a 404', async () => {
    const node = await servingHost();
    await node.push({ web: `${IMPORTS} export default createServer();` });
    expect((await node.get('/web/')).status).toBe(404);
  });

  it('is closed by a forced purge', async () => {
    const node = await servingHost();
    await node.push({ web: server(`response.write('begun');`) });
    const response = await node.get('/web/');
    await node.push({ web: server(`response.end('new')`) });
    node.server.purge('web');
    await expect(response.text()).rejects.toThrow('terminated');
    await idle(node);
  });
});

describe('an app that a module exports', () => {
  const handle = `(request: IncomingMessage, response: ServerResponse) => void response.end('app ' + request.url)`;

  it.for([
    ['of Express: a function that can listen', `Object.assign(${handle}, { listen() {} })`],
    ['of Koa: an object with a callback', `{ listen() {}, handle: ${handle}, callback() { return this.handle; } }`],
    ['with a server, as of Fastify', `{ server: createServer(${handle}), listen() {} }`],
    ['with an HTTP server, as of socket.io', `{ httpServer: createServer(${handle}), listen() {} }`],
  ])('%s, is served', async ([, app]) => {
    const node = await servingHost();
    await node.push({ web: `${IMPORTS} export default ${app};` });
    expect(await (await node.get('/web/x')).text()).toBe('app /x');
    expect(await (await node.get('/web/y')).text()).toBe('app /y');
  });

  it('gets its first request when it is ready, and is made ready once', async () => {
    const node = await servingHost();
    await node.push({
      web: `${IMPORTS}
        let times = 0, ready = false;
        const server = createServer((_, response) => void response.end(ready + ' ' + times));
        export default { server, ready: async () => { times += 1; await Promise.resolve(); ready = true; } };`,
    });
    const answers = await Promise.all([node.get('/web/'), node.get('/web/')]);
    expect(await Promise.all(answers.map(answer => answer.text()))).toEqual(['true 1', 'true 1']);
  });

  it('that does not become ready gives a 500', async () => {
    const node = await servingHost();
    await node.push({
      web: `${IMPORTS} export default { server: createServer(${handle}), ready: async () => { throw new Error('no plugin'); } };`,
    });
    expect((await node.get('/web/')).status).toBe(500);
    await idle(node);
    expect(errorsOf(node)).toBe(1);
  });

  it.for(['(left: number, right: number) => left + right', '{ listen() {} }', '{ server: {} }', '7'])(
    'is none that serves: %s',
    async exported => {
      const node = await servingHost();
      await node.push({ web: `export default ${exported}` });
      const response = await node.get('/web/');
      const why = 'module web on node fred has no default export that serves HTTP\n';
      expect([response.status, await response.text()]).toEqual([404, why]);
    },
  );
});

describe('a server that a module exports and that upgrades requests', () => {
  const ECHO = `
    server.on('upgrade', (request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\\r\\nconnection: upgrade\\r\\nupgrade: websocket\\r\\n\\r\\n' + request.url);
      socket.on('data', each => { if (String(each) === 'throw') throw new Error('thrown'); socket.write(each); });
    });`;
  const headers = { connection: 'upgrade', upgrade: 'websocket' };
  const open = async ({ base }: Serving, path: string) => {
    const sent = request(base + path, { headers }).end();
    const [response, socket, head] = (await Promise.race([once(sent, 'upgrade'), once(sent, 'response')])) as [
      IncomingMessage,
      Socket | undefined,
      Buffer,
    ];
    return { status: response.statusCode, socket, head };
  };

  it('has the connection until its version has closed; then the client gets the code for a restart', async () => {
    const node = await servingHost();
    await node.push({ web: server('', ECHO) });
    const { status, socket, head } = await open(node, '/web/chat?x=1');
    if (socket === undefined) throw new Error('no connection');
    const first = head.length > 0 ? head : ((await once(socket, 'data')) as [Buffer])[0];
    expect([status, String(first)]).toEqual([101, '/chat?x=1']);
    socket.write('yabba');
    expect(String((await once(socket, 'data'))[0])).toBe('yabba');
    await node.push({ web: server('', `${ECHO} // two`) });
    expect(node.server.describeDraining()).toEqual([]);
    const frame = await buffer(socket);
    expect([frame[0], frame.readUInt16BE(2)]).toEqual([0x88, 1012]);
    expect((await open(node, '/web/chat')).status).toBe(101);
  });

  it('runs as code of the version: what a listener throws is counted', async () => {
    const node = await servingHost();
    await node.push({ web: server('', ECHO) });
    const { socket } = await open(node, '/web/chat');
    const thrown: unknown[] = [];
    const onError = (error: unknown): void => void thrown.push([error, node.server.errors.countUncaught(error)]);
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException').on('uncaughtException', onError);
    socket?.write('throw');
    await expect.poll(() => thrown.length).toBe(1);
    process.removeAllListeners('uncaughtException');
    for (const other of others) process.on('uncaughtException', other);
    expect(errorsOf(node)).toBe(1);
    socket?.destroy();
  });

  it('without a listener for it refuses the upgrade', async () => {
    const node = await servingHost();
    await node.push({ web: server('response.end()') });
    expect((await open(node, '/web/')).status).toBe(404);
  });

  it('that throws closes the connection, and is counted', async () => {
    const node = await servingHost();
    await node.push({ web: server('', `server.on('upgrade', () => { throw new Error('no'); });`) });
    await expect(open(node, '/web/')).rejects.toThrow('socket hang up');
    expect(errorsOf(node)).toBe(1);
  });
});
