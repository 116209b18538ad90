import type { Version } from '../modules/version.ts';

/** The hooks of a module's `websocket`; the names and meanings are those of crossws. */
export type SocketHook = 'upgrade' | 'open' | 'message' | 'close' | 'error';

/** What a version serves on HTTP; the types for module authors are in `types/http.d.ts`. */
export interface ModuleHandler {
  readonly fetch: (request: Request) => unknown;
  /** Calls a hook, where the module has it. Null when the module takes no WebSocket connections. */
  readonly websocket: ((hook: SocketHook, ...args: unknown[]) => unknown) | null;
}

/** What a version's default export serves; null when it has no `fetch`. Never throws, whatever was exported. */
export function handlerOf(version: Version): ModuleHandler | null {
  try {
    const served = version.exports['default'];
    const fetch = functionOf(served, 'fetch');
    if (fetch === null) return null;
    const websocket = isObject(served) ? served['websocket'] : undefined;
    const call = (hook: SocketHook, ...args: unknown[]): unknown => functionOf(websocket, hook)?.(...args);
    return { fetch, websocket: isObject(websocket) ? call : null };
  } catch {
    return null;
  }
}

/** A function of an object's, bound to it: a Hono app's `fetch` needs its app. */
function functionOf(owner: unknown, name: string): ((...args: unknown[]) => unknown) | null {
  const found = isObject(owner) ? owner[name] : undefined;
  return typeof found === 'function' ? (...args) => Reflect.apply(found, owner, args) as unknown : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
