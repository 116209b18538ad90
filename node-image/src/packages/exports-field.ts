/** How a package is asked for: by `import`, which is also `import()` and `export from`, or by `require`. */
export type RequestKind = 'import' | 'require';

/** The conditions of Node.js for `exports` and `imports`, apart from `default`. */
const CONDITIONS: Readonly<Record<RequestKind, ReadonlySet<string>>> = {
  import: new Set(['node', 'import', 'module-sync', 'node-addons']),
  require: new Set(['node', 'require', 'module-sync', 'node-addons']),
};

/**
 * Finds the target of a key in the `exports` or `imports` of a package.json (PACKAGE_EXPORTS_RESOLVE and
 * PACKAGE_IMPORTS_RESOLVE of the Node.js documentation, "Modules: ECMAScript modules").
 *
 * @param key `.` or `./subpath` in `exports`; `#name` in `imports`.
 * @returns a path that begins with `./`, or in `imports` also the name of a package; null when there is none.
 */
export function targetOf(field: unknown, key: string, kind: RequestKind): string | null {
  const entries = entriesOf(field);
  if (Object.hasOwn(entries, key) && !key.includes('*')) return pick(entries[key], '', kind) ?? null;
  const patterns = Object.keys(entries).filter(pattern => matches(pattern, key));
  // The longest prefix before the `*` wins, then the longest key.
  const [best] = patterns.toSorted((a, b) => b.indexOf('*') - a.indexOf('*') || b.length - a.length);
  if (best === undefined) return null;
  const [before = '', after = ''] = best.split('*');
  return pick(entries[best], key.slice(before.length, key.length - after.length), kind) ?? null;
}

/** `exports` that is no map of subpaths is what `.` is. */
function entriesOf(field: unknown): Readonly<Record<string, unknown>> {
  const isMap = isObject(field) && Object.keys(field).every(key => key.startsWith('.') || key.startsWith('#'));
  return isMap ? field : { '.': field };
}

function matches(pattern: string, key: string): boolean {
  const [before, after, more] = pattern.split('*');
  if (before === undefined || after === undefined || more !== undefined) return false;
  return key.startsWith(before) && key !== before && key.length >= pattern.length && key.endsWith(after);
}

/** A target for these conditions; null when it is excluded, undefined when no condition holds. */
function pick(target: unknown, match: string, kind: RequestKind): string | null | undefined {
  if (typeof target === 'string') return target.replaceAll('*', () => match);
  if (Array.isArray(target)) {
    for (const each of target as unknown[]) {
      const found = pick(each, match, kind);
      if (typeof found === 'string') return found;
    }
    return null;
  }
  if (!isObject(target)) return target === null ? null : undefined;
  for (const [condition, each] of Object.entries(target)) {
    if (condition !== 'default' && !CONDITIONS[kind].has(condition)) continue;
    const found = pick(each, match, kind);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
