import { namespaceOf } from '../../packages/namespace.ts';
import type { PackageRequire } from '../../packages/file-record.ts';

const HOT = 'hot:';

/** `require` in the compiled code of a module. */
export interface ModuleRequire {
  /** @param names the names of the exports that a `hot:` import is for; null for all. */
  (id: string, names?: readonly string[] | null): unknown;
  /** What `import` gets. */
  readonly import: (id: string) => object;
  readonly resolve: PackageRequire['resolve'];
}

interface Sources {
  readonly module: string;
  /** The live exports of another module. */
  readonly hotImport: (module: string, names: readonly string[] | null) => object;
  /** A built-in module of the version; null when there is none. */
  readonly builtin: (id: string) => unknown;
  /** Null for a module without packages. */
  readonly packages: PackageRequire | null;
}

/** Finds what a module requires: `hot:` imports, built-in modules, and its packages. */
export function moduleRequire({ module, hotImport, builtin, packages }: Sources): ModuleRequire {
  const ofPackages = (id: string): PackageRequire => {
    if (packages !== null) return packages;
    const what = `which is not a built-in module of Node ${process.version}, and was not installed when it was pushed`;
    // The code by which packages recognize that one is missing.
    throw Object.assign(new Error(`module ${module} requires ${id}, ${what}`), { code: 'MODULE_NOT_FOUND' });
  };
  const require = (id: string, names: readonly string[] | null = null): unknown =>
    id.startsWith(HOT) ? hotImport(id.slice(HOT.length), names) : (builtin(id) ?? ofPackages(id)(id));
  const resolve: PackageRequire['resolve'] = (id, options) =>
    builtin(id) === null ? ofPackages(id).resolve(id, options) : id;
  return Object.assign(require, {
    import: (id: string): object => {
      const found = builtin(id);
      return found === null ? ofPackages(id).import(id) : namespaceOf(found);
    },
    resolve,
  });
}
