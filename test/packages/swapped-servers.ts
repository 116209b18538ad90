/** A server of a framework. Its answer to `GET /` is the name of its version. */
export interface SwappedServer {
  /** A free port of its own. */
  readonly port: number;
  readonly source: (version: string) => string;
  /** Has the server listen. */
  readonly listen: (port: number) => string;
  /** What a module exports so that the node serves it. */
  readonly served: string;
  /** How its clients of WebSocket talk to it. */
  readonly sockets?: 'ws' | 'socket.io';
}

const answering = (version: string): string => `import { createServer } from 'node:http';
const server = createServer((_request, response) => void response.end('${version}'));`;

/** Servers as people write them, by the name of their framework. Those with sockets answer a text with their version and the text. */
export const SWAPPED_SERVERS: Readonly<Record<string, SwappedServer>> = {
  express: {
    port: 9201,
    source: version => `import express from 'express';
const app = express();
app.get('/', (_request, response) => void response.send('${version}'));`,
    listen: port => `app.listen(${port});`,
    served: 'app',
  },
  koa: {
    port: 9202,
    source: version => `import Koa from 'koa';
const app = new Koa();
app.use(context => void (context.body = '${version}'));`,
    listen: port => `app.listen(${port});`,
    served: 'app',
  },
  fastify: {
    port: 9203,
    source: version => `import Fastify from 'fastify';
const app = Fastify();
app.get('/', async () => '${version}');`,
    listen: port => `app.listen({ port: ${port}, host: '0.0.0.0' });`,
    served: 'app',
  },
  hono: {
    port: 9204,
    source: version => `import { serve } from '@hono/node-server';
import { Hono } from 'hono';
const app = new Hono();
app.get('/', context => context.text('${version}'));`,
    listen: port => `serve({ fetch: app.fetch, port: ${port}, overrideGlobalObjects: false });`,
    served: 'app',
  },
  ws: {
    port: 9205,
    source: version => `import { WebSocketServer } from 'ws';
${answering(version)}
const sockets = new WebSocketServer({ server });
sockets.on('connection', socket => socket.on('message', data => socket.send('${version} ' + data)));`,
    listen: port => `server.listen(${port});`,
    served: 'server',
    sockets: 'ws',
  },
  'socket-io': {
    port: 9206,
    source: version => `import { Server } from 'socket.io';
${answering(version)}
const io = new Server(server, { transports: ['websocket'] });
io.on('connection', socket => socket.on('say', (text, answer) => answer('${version} ' + text)));`,
    listen: port => `server.listen(${port});`,
    served: 'io',
    sockets: 'socket.io',
  },
};
