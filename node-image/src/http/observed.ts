import { channel } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';

const emit: unknown = Reflect.get(EventEmitter.prototype, 'emit');
const started = channel('http.server.request.start');

/**
 * Whether something sees each request before the node does: a tracer, which replaces `emit` or subscribes to the channel of
 * Node.js. It can have a context of its own for each request, in which the module has to run.
 */
export function isObserved(server: Server): boolean {
  return (server as { readonly emit: unknown }).emit !== emit || started.hasSubscribers;
}
