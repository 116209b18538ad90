import type { Version } from '../modules/version.ts';

/** The hooks of a module's `websocket`; the names and meanings are those of crossws. */
export type SocketHook = 'upgrade' | 'open' | 'message' | 'close' | 'error';

/** The HTTP handler of a version; the types for module authors are in `types/http.d.ts`. */
export interface ModuleHandler {
  readonly fetch: (request: Request) => unknown;
  /** Calls a hook, if the module has it. Null when the module does not accept WebSocket connections. */
  readonly websocket: ((hook: SocketHook, ...args: unknown[]) => unknown) | null;
}

/** The handler in a version's default export; null when it has no `fetch`. Never throws. */
export function handlerOf(version: Version): ModuleHandler | null {
  try {
    const exported = version.exports['default'];
    const fetch = functionOf(exported, 'fetch');
    if (fetch === null) return null;
    const websocket = isObject(exported) ? exported['websocket'] : undefined;
    const call = (hook: SocketHook, ...args: unknown[]): unknown => functionOf(websocket, hook)?.(...args);
    return { fetch, websocket: isObject(websocket) ? call : null };
  } catch {
    return null;
  }
}

/** A function of an object, bound to it: the `fetch` of a Hono app needs its app. */
function functionOf(owner: unknown, name: string): ((...args: unknown[]) => unknown) | null {
  const found = isObject(owner) ? owner[name] : undefined;
  return typeof found === 'function' ? (...args) => Reflect.apply(found, owner, args) as unknown : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
