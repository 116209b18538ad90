import { createRequire } from 'node:module';
import { join } from 'node:path';

import { describe, expect } from 'vitest';

import type { Cluster } from '../support/cluster/cluster.ts';
import { clusterTest } from '../support/cluster/cluster-test.ts';
import { HttpLoad } from '../support/http/http-load.ts';
import { WebSocketClient } from '../support/http/websocket-client.ts';
import { MODULES } from './selected-cases.ts';
import { SWAPPED_SERVERS, type SwappedServer } from './swapped-servers.ts';

const it = clusterTest({ nodes: 1, modules: MODULES, controller: { PREFLIGHT_TIMEOUT_MS: '20000' } });

const SWAPS = 20;

/** WebSocket's code for a server that restarts. */
const RESTART = 1012;

const servers = Object.entries(SWAPPED_SERVERS).map(([name, server]) => ({ ...server, module: `swapped-${name}` }));

/** Where the servers of the modules are, and how the modules publish them. */
const PLACES = {
  'a port of its own': {
    host: (address: string, { port }: SwappedServer) => `${address}:${port}`,
    path: () => '/',
    end: ({ listen, port }: SwappedServer) => `${listen(port)}\nexport const nothing = 1;`,
  },
  'the port of the node': {
    host: (address: string) => `${address}:8080`,
    path: (module: string) => `/${module}/`,
    end: ({ served }: SwappedServer) => `export default ${served};`,
  },
};

describe.runIf((process.env['ONLY'] ?? '') === '')('servers of express, koa, fastify, hono, ws and socket.io', () => {
  it.for(Object.entries(PLACES))(
    `lose nothing over ${SWAPS} swaps under load, on %s`,
    { timeout: 300_000 },
    async ([, { host, path, end }], { cluster }) => {
      const push = async (version: string): Promise<void> => {
        for (const each of servers)
          cluster.writeModule(each.module, `// @ts-nocheck\n${each.source(version)}\n${end(each)}\n`);
        const { exitCode, stdout, stderr } = await cluster.hotcast('push', ...servers.map(({ module }) => module));
        expect(exitCode, stdout + stderr).toBe(0);
      };
      await push('v0');
      const address = await addressOf(cluster, 'fred');
      const places = servers.map(each => ({ ...each, at: `${host(address, each)}${path(each.module)}` }));
      const loads = places.flatMap(({ at }) => [
        new HttpLoad(`http://${at}`, { connections: 3 }),
        new HttpLoad(`http://${at}`, { connections: 2, keepAlive: false }),
      ]);
      const clients = await Promise.all(
        places.flatMap(({ at, sockets }) => {
          if (sockets === 'ws') return [webSocketClient(`ws://${at}`)];
          return sockets === 'socket.io' ? [socketIoClient(at)] : [];
        }),
      );
      try {
        for (let swap = 1; swap <= SWAPS; swap += 1) {
          const version = `v${swap}`;
          await push(version);
          const pushedAt = performance.now();
          await Promise.all(loads.map(load => load.rounds(2)));
          for (const { answers } of loads) {
            const after = answers.filter(({ sentAt }) => sentAt > pushedAt).map(({ body }) => body);
            expect(new Set(after)).toEqual(new Set([version]));
          }
          for (const client of clients) expect(await client.say('hello')).toBe(`${version} hello`);
        }
      } finally {
        await Promise.all(loads.map(load => load.stop()));
        for (const client of clients) client.close();
      }
      for (const { failures, answers } of loads) {
        expect(failures).toEqual([]);
        expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      }
      expect(clients.flatMap(({ failures }) => failures)).toEqual([]);
      await cluster.hotcast('remove', ...servers.map(({ module }) => module));
    },
  );

  it('free their ports when they are removed', async ({ cluster }) => {
    const address = await addressOf(cluster, 'fred');
    for (const { port } of servers) {
      const error: unknown = await fetch(`http://${address}:${port}/`).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    }
  });
});

async function addressOf(cluster: Cluster, node: string): Promise<string> {
  const { NetworkSettings } = await (await cluster.container(node)).inspect();
  return NetworkSettings.Networks[cluster.id]?.IPAddress ?? '';
}

/** What is used of a client of socket.io. */
interface SocketIo {
  readonly on: (event: string, listener: (reason: unknown) => void) => void;
  readonly timeout: (ms: number) => { readonly emitWithAck: (event: string, text: string) => Promise<string> };
  readonly close: () => void;
}

/** A client of a server that is swapped: it connects again when its connection has ended with its version. */
interface PersistentClient {
  /** After a swap: sends a text on the next connection. Returns the answer. */
  readonly say: (text: string) => Promise<string>;
  readonly close: () => void;
  readonly failures: readonly unknown[];
}

/** After each swap, the connection has to end as a restart, and the next one to be accepted. */
async function webSocketClient(url: string): Promise<PersistentClient> {
  let socket = await WebSocketClient.open(url);
  const failures: unknown[] = [];
  const say = async (text: string): Promise<string> => {
    const { code } = await socket.closed;
    if (code !== RESTART) failures.push(`closed with ${code}`);
    socket = await WebSocketClient.open(url);
    return socket.request(text);
  };
  return { say, close: () => socket.close(), failures };
}

/** It connects again by itself. */
async function socketIoClient(at: string): Promise<PersistentClient> {
  const { io } = createRequire(join(MODULES, 'package.json'))('socket.io-client') as {
    io: (url: string, options: object) => SocketIo;
  };
  const [host = '', ...path] = at.split('/');
  const options = { path: `/${path.join('/')}socket.io/`, transports: ['websocket'], reconnectionDelay: 50 };
  const socket = io(`http://${host}`, options);
  const failures: unknown[] = [];
  let ended = 0;
  socket.on('connect_error', error => failures.push(error));
  socket.on('disconnect', () => void (ended += 1));
  await new Promise(resolve => socket.on('connect', resolve));
  let swaps = 0;
  const say = async (text: string): Promise<string> => {
    swaps += 1;
    await expect.poll(() => ended).toBe(swaps);
    return socket.timeout(10_000).emitWithAck('say', text);
  };
  return { say, close: () => socket.close(), failures };
}
