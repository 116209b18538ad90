import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The modules of a Hotcast, as suite.ts of this folder bundles them. */
interface Hotcast {
  readonly scopeListening: () => void;
  readonly installWebClasses: () => void;
  readonly revisionOf: (code: string) => string;
  readonly packMap: (map: string) => Uint8Array;
  readonly startHttpServer: (deps: object) => Promise<{ readonly port: number }>;
  readonly CodeServer: new (log: object) => {
    prepare(bundle: object): { readonly status: string };
    commit(heads: readonly object[]): { readonly status: string };
  };
}

const FOLDER = import.meta.dirname;
const HOST = '127.0.0.1';

/** Each starts a server of this process, and gives its port. */
const SERVERS: Readonly<Record<string, (...args: readonly string[]) => Promise<number>>> = {
  hotcast,
  'node-server': async () => {
    const [{ serve }, { default: app }] = await Promise.all([import('@hono/node-server'), import('./app.ts')]);
    return portOf(serve({ fetch: app.fetch, port: 0, hostname: HOST }) as Server);
  },
  srvx: async () => {
    const [{ serve }, { default: app }] = await Promise.all([import('srvx/node'), import('./app.ts')]);
    const server = await serve({ fetch: request => app.fetch(request), port: 0, hostname: HOST, silent: true }).ready();
    return Number(new URL(server.url ?? '').port);
  },
  'node:http': async () => {
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 10 }).end('Hello Fred');
    });
    return portOf(server.listen(0, HOST));
  },
  ws: async () => {
    const { WebSocketServer } = await import('ws');
    const server = new WebSocketServer({ port: 0, host: HOST });
    server.on('connection', socket => {
      socket.on('message', (data, binary) => socket.send(data as Buffer, { binary }));
    });
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  },
};

/** A node's code server and HTTP server, without NATS, with both modules. */
async function hotcast(file = ''): Promise<number> {
  const hot = (await import(file)) as Hotcast;
  hot.scopeListening();
  hot.installWebClasses();
  const nothing = (): void => undefined;
  const print = (...args: unknown[]): void => console.error(...args);
  const codeServer = new hot.CodeServer({ info: nothing, warn: nothing, error: print });
  const map = hot.packMap('{"version":3,"sources":[],"names":[],"mappings":""}');
  for (const module of ['web', 'plain']) {
    const code = readFileSync(`${FOLDER}/${module}.cjs`, 'utf8');
    const revision = hot.revisionOf(code);
    const bundle = { module, revision, file: `modules/${module}.ts`, exports: ['default'], live: [], memoryBytes: 0 };
    codeServer.prepare({ ...bundle, code, map });
    const { status } = codeServer.commit([{ module, revision, sequence: 1, force: false, makeRoom: false }]);
    if (status !== 'ok') throw new Error(`module ${module} was not loaded`);
  }
  return (await hot.startHttpServer({ port: 0, node: 'fred', codeServer })).port;
}

async function portOf(server: Server): Promise<number> {
  if (!server.listening) await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const [kind = '', ...args] = process.argv.slice(2);
const port = await SERVERS[kind]?.(...args);
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuUs: user + system, rss: process.memoryUsage.rss() });
});
process.on('disconnect', () => process.exit());
process.send?.({ port });
