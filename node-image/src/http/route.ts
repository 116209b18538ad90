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

/** Of nearly all requests: `/web/…`. */
function plainRoute(target: string): Route | null {
  const end = target.startsWith('/') ? target.indexOf('/', 1) : -1;
  const module = target.slice(1, Math.max(end, 1));
  return isModuleName(module) ? { to: 'module', module, path: target.slice(end), folder: null } : null;
}

function parsedRoute(target: string): Route {
  const [, path = '', query = ''] = /^(?:https?:\/\/[^/?]*)?([^?]*)(.*)$/is.exec(target) ?? [];
  const [, part = '', rest = ''] = /^\/?([^/]*)(.*)$/s.exec(path) ?? [];
  if (part === '' && rest === '') return { to: 'node' };
  if (!isModuleName(part)) return { to: 'nowhere', part };
  const folder = rest === '' ? `/${part}/${query}` : null;
  return { to: 'module', module: part, path: (rest || '/') + query, folder };
}
