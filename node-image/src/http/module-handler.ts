import type { Version } from '../modules/version.ts';
import { isObject } from './function-of.ts';
import { type ServerHandler, serverHandlerOf } from './module-server.ts';

/** The hooks of a module's `websocket`; the names and meanings are those of crossws. */
export type SocketHook = 'upgrade' | 'open' | 'message' | 'close' | 'error';

/** A module whose default export has `fetch`; the types for module authors are in `types/http.d.ts`. */
export interface FetchHandler {
  readonly kind: 'fetch';
  /** A method of {@link exported}: the `fetch` of a Hono app needs its app. */
  readonly fetch: (request: unknown) => unknown;
  readonly exported: object;
  /** Its hooks. Null when the module does not accept WebSocket connections. */
  readonly websocket: Readonly<Record<string, unknown>> | null;
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
    const handler: FetchHandler = {
      kind: 'fetch',
      fetch: fetch as FetchHandler['fetch'],
      exported,
      websocket: isObject(websocket) ? websocket : null,
    };
    known.set(version, { made: [exported, fetch, websocket], handler });
    return handler;
  } catch {
    return null;
  }
}
