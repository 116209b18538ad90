import { isModuleName } from '../../../protocol/names.ts';

/** The destination of a request. */
export type Route =
  /** The node's own page, `/`. */
  | { readonly to: 'node' }
  | {
      readonly to: 'module';
      readonly module: string;
      /** The target that the module sees: `/hello?x=1` for `/web/hello?x=1`. */
      readonly path: string;
      /** The target with the slash that relative links need; null when it has one. */
      readonly folder: string | null;
    }
  /** The first part of the path is not a valid module name. */
  | { readonly to: 'nowhere'; readonly part: string };

/** Finds the destination of a request: the first part of its path is the module. */
export function routeOf(target: string): Route {
  return plainRoute(target) ?? parsedRoute(target);
}

/** The module of the last request: it is the one of the next, mostly, and the same string needs no second look. */
const last = { prefix: '', module: '' };

/** Of nearly all requests: `/web/…`. */
function plainRoute(target: string): Route | null {
  if (last.prefix !== '' && target.startsWith(last.prefix)) {
    return { to: 'module', module: last.module, path: target.slice(last.prefix.length - 1), folder: null };
  }
  const end = target.startsWith('/') ? target.indexOf('/', 1) : -1;
  const module = target.slice(1, Math.max(end, 1));
  if (!isModuleName(module)) return null;
  Object.assign(last, { prefix: `/${module}/`, module });
  return { to: 'module', module, path: target.slice(end), folder: null };
}

function parsedRoute(target: string): Route {
  const [, path = '', query = ''] = /^(?:https?:\/\/[^/?]*)?([^?]*)(.*)$/is.exec(target) ?? [];
  const [, part = '', rest = ''] = /^\/?([^/]*)(.*)$/s.exec(path) ?? [];
  if (part === '' && rest === '') return { to: 'node' };
  if (!isModuleName(part)) return { to: 'nowhere', part };
  const folder = rest === '' ? `/${part}/${query}` : null;
  return { to: 'module', module: part, path: (rest || '/') + query, folder };
}
