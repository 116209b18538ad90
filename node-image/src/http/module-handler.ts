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

/** The handler in a version's default export; null when that serves no HTTP. Never throws. */
export function handlerOf(version: Version): ModuleHandler | null {
  try {
    const exported = version.exports['default'];
    if (!isObject(exported)) return null;
    const fetch = functionOf(exported, 'fetch');
    if (fetch === null) return serverHandlerOf(exported);
    const websocket = exported['websocket'];
    const call = (hook: SocketHook, ...args: unknown[]): unknown => functionOf(websocket, hook)?.(...args);
    return { kind: 'fetch', fetch, websocket: isObject(websocket) ? call : null };
  } catch {
    return null;
  }
}
