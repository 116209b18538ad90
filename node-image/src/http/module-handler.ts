import type { Version } from '../modules/version.ts';
import { functionOf, isObject } from './function-of.ts';
import { type ServerHandler, serverHandlerOf } from './module-server.ts';

/** The hooks of a module's `websocket`; the names and meanings are those of crossws. */
export type SocketHook = 'upgrade' | 'open' | 'message' | 'close' | 'error';

/** A module whose default export has `fetch`; the types for module authors are in `types/http.d.ts`. */
export interface FetchHandler {
  readonly kind: 'fetch';
  readonly fetch: (request: Request) => unknown;
  /** Calls a hook, if the module has it. Null when the module does not accept WebSocket connections. */
  readonly websocket: ((hook: SocketHook, ...args: unknown[]) => unknown) | null;
}

/** The HTTP handler of a version. */
export type ModuleHandler = FetchHandler | ServerHandler;

/** The last handler of each version, with what it was made of: an export can change. */
const known = new WeakMap<
  Version,
  { readonly made: readonly [object, unknown, unknown]; readonly handler: FetchHandler }
>();

/** The handler in a version's default export; null when that serves no HTTP. Never throws. */
export function handlerOf(version: Version): ModuleHandler | null {
  try {
    const exported = version.exports['default'];
    if (!isObject(exported)) return null;
    const { fetch, websocket } = exported;
    if (typeof fetch !== 'function') return serverHandlerOf(exported);
    const last = known.get(version);
    if (last?.made[0] === exported && last.made[1] === fetch && last.made[2] === websocket) return last.handler;
    const call = (hook: SocketHook, ...args: unknown[]): unknown => functionOf(websocket, hook)?.(...args);
    const handler: FetchHandler = {
      kind: 'fetch',
      fetch: request => Reflect.apply(fetch, exported, [request]) as unknown,
      websocket: isObject(websocket) ? call : null,
    };
    known.set(version, { made: [exported, fetch, websocket], handler });
    return handler;
  } catch {
    return null;
  }
}
