import { join } from 'node:path/posix';

import type { PackageJson } from './package-json.ts';

/** The conditions under which Node.js takes a target of `exports`, besides `import` or `require`. */
const CONDITIONS = new Set(['node', 'module-sync', 'node-addons', 'default']);

/** The files of a package that Node.js loads from outside of it, by `exports`, else by `main`. */
export function entryPaths(
  { exports, main }: Pick<PackageJson, 'exports' | 'main'>,
  paths: readonly string[],
): string[] {
  if (exports === undefined || exports === null) return mainPaths(main).filter(path => paths.includes(path));
  const isMap =
    typeof exports === 'object' && !Array.isArray(exports) && Object.keys(exports)[0]?.startsWith('.') === true;
  const subpaths: unknown[] = isMap ? Object.values(exports) : [exports];
  const targets = subpaths.flatMap(subpath => ['import', 'require'].flatMap(kind => targetsOf(subpath, kind)));
  return [...new Set(targets.flatMap(target => matching(target, paths)))];
}

function mainPaths(main: unknown): string[] {
  const path = typeof main === 'string' ? join(main) : 'index.js';
  return [path, `${path}.js`, join(path, 'index.js'), 'index.js'];
}

/** The targets of one subpath, of which Node.js takes the first that there is. */
function targetsOf(target: unknown, kind: string): string[] {
  if (typeof target === 'string') return [target];
  if (Array.isArray(target)) return target.flatMap(each => targetsOf(each, kind));
  if (typeof target !== 'object' || target === null) return [];
  for (const [condition, value] of Object.entries(target) as [string, unknown][]) {
    if (condition !== kind && !CONDITIONS.has(condition)) continue;
    const found = targetsOf(value, kind);
    // A condition whose target is null ends the search; one without a matching condition does not.
    if (found.length > 0 || value === null) return found;
  }
  return [];
}

function matching(target: string, paths: readonly string[]): string[] {
  const path = join(target);
  const [before = '', after, ...more] = path.split('*');
  if (after === undefined || more.length > 0) return paths.includes(path) ? [path] : [];
  return paths.filter(
    each => each.length >= before.length + after.length && each.startsWith(before) && each.endsWith(after),
  );
}
