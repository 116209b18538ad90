import type { RequestListener, Server as HttpServer } from 'node:http';

import { functionOf, isObject } from './function-of.ts';
import { createServer, Server } from './web/node-http.ts';

/** A module whose default export is a server of Node.js, or an app of a framework that listens with one. */
export interface ServerHandler {
  readonly kind: 'server';
  /** It need not listen. The node calls its listeners of `request` and `upgrade`. */
  readonly server: HttpServer;
  /** Starts what the app needs before its first request, once. Rejects when that fails. */
  readonly ready: () => Promise<unknown>;
}

/** By the default export. The server of an app is made once for each version. */
const handlers = new WeakMap<object, ServerHandler>();

/**
 * The server in a default export: the export itself, the server that an app has (Fastify, socket.io), or one for an app that
 * has a method `listen` (Express, Koa). Another function is none, because it can be there for calls.
 *
 * @throws what the app throws.
 */
export function serverHandlerOf(exported: Record<string, unknown>): ServerHandler | null {
  const known = handlers.get(exported);
  if (known !== undefined) return known;
  const server = serverOf(exported);
  if (server === null) return null;
  let starting: Promise<unknown> | null = null;
  const start = functionOf(exported, 'ready');
  const ready = async (): Promise<unknown> => (starting ??= (async () => start?.())());
  const handler: ServerHandler = { kind: 'server', server, ready };
  handlers.set(exported, handler);
  return handler;
}

/**
 * Calls the listeners of an event. It is not emitted: with the results, a listener that rejects is known.
 *
 * @throws what a listener throws.
 */
export function callListeners(server: HttpServer, event: string, ...args: unknown[]): Promise<unknown> {
  return Promise.all(server.rawListeners(event).map(each => Promise.resolve(Reflect.apply(each, server, args))));
}

function serverOf(exported: Record<string, unknown>): HttpServer | null {
  for (const each of [exported, exported['server'], exported['httpServer']]) if (each instanceof Server) return each;
  if (functionOf(exported, 'listen') === null) return null;
  const callback = functionOf(exported, 'callback');
  const listener = callback === null ? exported : callback();
  return isObject(listener) && typeof listener === 'function' ? createServer(listener as RequestListener) : null;
}
