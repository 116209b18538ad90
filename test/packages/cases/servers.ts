import { type PackageCase, works, worksWith } from '../package-case.ts';

export const SERVERS: readonly PackageCase[] = [
  works(['apollo-server', '@apollo/server'], 'a query', {
    data: { books: [{ title: 'The Art of Hot Loading' }] },
  }),
  works('cors', 'a preflight request to express', [204, 'https://example.com', 'PUT']),
  works('express', 'on its own port: routes, a JSON body, an error handler', [
    [200, '{"name":"Grace"}'],
    [404, 'no user 7'],
    [201, '{"a":[1]}'],
  ]),
  works('fastify', 'on its own port: a plugin, a shared schema, `inject`', [{ answer: 42 }, { age: 36 }, 400]),
  works('graphql', 'a schema, a query and an error', { hello: 'Hello Ada', errors: 1, printed: 3 }),
  works(['graphql-instance', 'graphql'], 'a schema of another module', { hello: 'Hello world' }),
  works('graphql-yoga', 'served by the node: a query, a subscription as server-sent events', {
    hello: { data: { hello: 'Hello Ada' } },
    counts: [1, 2, 3],
  }),
  works(['grpc-js', '@grpc/grpc-js'], 'a server and a client', 'HELLO'),
  works(['hapi', '@hapi/hapi'], 'on its own port: routes, `inject`', ['Hello Ada', 'Hello Grace', 404]),
  works('helmet', 'headers of an express app', ['DENY', null, true]),
  works('hono', 'served by the node: routes, middleware, an exception', [
    [{ id: '1', title: 'Hot' }],
    304,
    404,
    'no such post',
  ]),
  worksWith(
    'the option `overrideGlobalObjects: false` of `serve`',
    ['hono-server', '@hono/node-server'],
    'hono on its own port: routes, a body',
    [{ name: 'Ada' }, 201, 'hello'],
  ),
  works('koa', 'on its own port: middleware', { header: 'yes', body: { path: '/users', query: { page: '2' } } }),
  works('multer', 'an upload to express', { name: 'hello.txt', size: 5, body: { title: 'greeting' } }),
  works('passport', 'a strategy in express', [{ name: 'Ada' }, 401]),
  works(['socket-io', 'socket.io'], 'on its own port: a chat of two clients, an acknowledgement', ['sent', 'hello']),
  works(['trpc', '@trpc/server'], 'served by the node: a batch of queries, an error', [
    [{ id: 1, name: 'Ada' }],
    { id: 1, name: 'Ada' },
    'no user 7',
  ]),
  works('ws', 'on its own port: a compressed message', { length: 3000, start: 'HELLO', code: 1005 }),
];
