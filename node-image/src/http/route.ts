import { isModuleName } from '../../../protocol/names.ts';

/** Where a request goes. */
export type Route =
  /** The node's own page, `/`. */
  | { readonly to: 'node' }
  | {
      readonly to: 'module';
      readonly module: string;
      /** The target that the module sees: `/hello?x=1` for `/web/hello?x=1`. */
      readonly path: string;
      /** The same page with the slash that relative links need; null when the target has it. */
      readonly folder: string | null;
    }
  /** Nowhere: its first part is no module's name. */
  | { readonly to: 'nowhere'; readonly part: string };

/** Reads the target of a request: the first part of its path names the module. */
export function routeOf(target: string): Route {
  const [, path = '', query = ''] = /^(?:https?:\/\/[^/?]*)?([^?]*)(.*)$/is.exec(target) ?? [];
  const [, part = '', rest = ''] = /^\/?([^/]*)(.*)$/s.exec(path) ?? [];
  if (part === '' && rest === '') return { to: 'node' };
  if (!isModuleName(part)) return { to: 'nowhere', part };
  const folder = rest === '' ? `/${part}/${query}` : null;
  return { to: 'module', module: part, path: (rest || '/') + query, folder };
}
