import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';

import { type RequestKind, targetOf } from './exports-field.ts';
import { fileNameOf, folderOf, type Instance, type Location } from './instance.ts';
import { splitName } from './package-name.ts';

/** Where a request comes from: a file of a package, or a module with its packages. */
export type Requester = Location | { readonly module: string; readonly roots: ReadonlyMap<string, Root> };

/** What a module finds by a name: a package that was sent, or one of the node's image. */
export type Root = Instance | typeof EXTERNAL;

export const EXTERNAL = 'external';

/**
 * What a request leads to. `outside`: an absolute path of a file that belongs to no
 * package that was sent: Node.js loads it.
 */
export type Resolved =
  | { readonly kind: 'builtin'; readonly id: string }
  | ({ readonly kind: 'file' } & Location)
  | { readonly kind: 'outside'; readonly file: string };

/** What the resolver asks of those who know all packages. */
export interface KnownPackages {
  /** The file of a package with this absolute path, whether it exists or not; null when it is in no package. */
  readonly locate: (file: string) => Location | null;
  /** An external package that an instance requires, or one that it does not declare; undefined when no module that uses it has it. */
  readonly undeclared: (name: string, requiredBy: Instance) => Root | undefined;
  /** The file of an external package. @throws Error with the code that Node.js gives it. */
  readonly resolveExternal: (specifier: string, kind: RequestKind) => string;
}

/**
 * Resolves as Node.js does ("Modules: CommonJS modules" and "Modules: ECMAScript modules" of its documentation), by the lists
 * of the files. Node's own resolver would keep what it has read of each package for ever.
 *
 * Where Node.js refuses an `import` without the extension or the `index.js`, it is found as with `require`: compilers allow it.
 */
export function createResolver({ locate, undeclared, resolveExternal }: KnownPackages) {
  /** @throws Error with the code that Node.js gives it. */
  const resolve = (specifier: string, kind: RequestKind, from: Requester): Resolved => {
    if (isBuiltin(specifier)) return { kind: 'builtin', id: specifier };
    if (!('instance' in from)) return fromRoots(specifier, kind, from);
    const { instance, path } = from;
    if (/^(?:file:|\/)/.test(specifier)) return absolute(specifier, kind, from);
    const key = `${kind} ${folderOf(path)} ${specifier}`;
    const known = instance.resolved.get(key);
    if (known !== undefined) return { kind: 'file', ...known };
    const found = /^\.\.?(?:\/|$)/.test(specifier) ? relative(specifier, kind, from) : named(specifier, kind, from);
    if (!('instance' in found)) return found;
    // What is not declared can be another package for the next module.
    if (found.instance === instance || [...instance.dependencies.values()].includes(found.instance)) {
      instance.resolved.set(key, found);
    }
    return { kind: 'file', ...found };
  };

  const absolute = (specifier: string, kind: RequestKind, from: Location): Resolved => {
    const file = specifier.startsWith('/') ? specifier : fileURLToPath(specifier);
    const location = locate(file);
    if (location === null) return { kind: 'outside', file };
    return { kind: 'file', ...(load(location) ?? missing(specifier, kind, from)) };
  };

  const relative = (specifier: string, kind: RequestKind, from: Location): Location => {
    const { instance, path } = from;
    const target = posix.join(folderOf(path), specifier);
    const escapes = target === '..' || target.startsWith('../');
    const location = escapes ? locate(posix.join(instance.folder, target)) : { instance, path: target };
    const isFolder = /(?:^|\/)\.\.?$/.test(specifier);
    const found = location === null ? null : loadPath(location, isFolder);
    return found ?? missing(specifier, kind, from);
  };

  /** `#name`, the package's own name, or a package in `node_modules`. */
  const named = (specifier: string, kind: RequestKind, from: Location): Location | Resolved => {
    const { instance, path } = from;
    const { folder, manifest } = instance.scopeOf(path);
    if (specifier.startsWith('#')) {
      const target = targetOf(manifest.imports, specifier, kind);
      if (target === null) throw notDefined(specifier, 'imports', kind, from);
      if (!target.startsWith('./'))
        return resolve(target, kind, { instance, path: posix.join(folder, 'package.json') });
      return load({ instance, path: rooted(posix.join(folder, target)) }) ?? missing(specifier, kind, from);
    }
    const { name, subpath } = splitName(specifier);
    if (manifest.name === name && manifest.exports !== undefined) {
      return exported({ instance, path: folder }, subpath, manifest.exports, kind, from);
    }
    const found = instance.dependencies.get(name) ?? (name === instance.name ? instance : undeclared(name, instance));
    if (found === EXTERNAL) return external(specifier, kind);
    return found === undefined ? missing(specifier, kind, from) : entry(found, subpath, specifier, kind, from);
  };

  const fromRoots = (specifier: string, kind: RequestKind, from: Requester): Resolved => {
    const { name, subpath } = splitName(specifier);
    const found = 'roots' in from ? from.roots.get(name) : undefined;
    if (found === EXTERNAL) return external(specifier, kind);
    if (found === undefined) return missing(specifier, kind, from);
    return { kind: 'file', ...entry(found, subpath, specifier, kind, from) };
  };

  const external = (specifier: string, kind: RequestKind): Resolved => ({
    kind: 'outside',
    file: resolveExternal(specifier, kind),
  });

  return { resolve };
}

/** A file of a package that is asked for by its name and a subpath, '' for none. */
function entry(instance: Instance, subpath: string, specifier: string, kind: RequestKind, from: Requester): Location {
  const { exports } = instance.manifest('') ?? {};
  if (exports !== undefined && exports !== null) return exported({ instance, path: '' }, subpath, exports, kind, from);
  return loadPath({ instance, path: posix.normalize(`./${subpath}`) }) ?? missing(specifier, kind, from);
}

function exported(root: Location, subpath: string, exports: unknown, kind: RequestKind, from: Requester): Location {
  const key = subpath === '' ? '.' : `./${subpath}`;
  const target = targetOf(exports, key, kind);
  if (target === null || !target.startsWith('./')) throw notDefined(key, 'exports', kind, root);
  const location = { instance: root.instance, path: rooted(posix.join(root.path, target)) };
  return load(location) ?? missing(fileNameOf(location), kind, from);
}

/** What is at a path: `lib/` is a folder, also beside a `lib.js`. */
function loadPath({ instance, path }: Location, isFolder = false): Location | null {
  const location = { instance, path: rooted(path) };
  return isFolder || path.endsWith('/') ? loadFolder(location) : load(location);
}

/** LOAD_AS_FILE and LOAD_AS_DIRECTORY of Node.js; null when there is neither. */
function load({ instance, path }: Location): Location | null {
  const names = path === '' ? [] : ['', '.js', '.json', '.node'].map(extension => path + extension);
  const file = names.find(each => instance.files.has(each));
  return file === undefined ? loadFolder({ instance, path }) : { instance, path: file };
}

function loadFolder({ instance, path }: Location): Location | null {
  const { main } = instance.manifest(path) ?? {};
  const target = typeof main === 'string' && main !== '' ? rooted(posix.join(path, main)) : path;
  if (target !== path) {
    const names = ['', '.js', '.json', '.node', '/index.js', '/index.json', '/index.node'].map(end => target + end);
    const file = names.find(each => instance.files.has(each));
    if (file !== undefined) return { instance, path: file };
  }
  const indices = ['index.js', 'index.json', 'index.node'].map(name => posix.join(path, name));
  const index = indices.find(each => instance.files.has(each));
  return index === undefined ? null : { instance, path: index };
}

/** A path without `.` and without `/` at its end. */
function rooted(path: string): string {
  const trimmed = path.replace(/\/$/, '');
  return trimmed === '.' ? '' : trimmed;
}

function missing(specifier: string, kind: RequestKind, from: Requester): never {
  const by = 'instance' in from ? fileNameOf(from) : `module ${from.module}`;
  const how = kind === 'import' ? 'imported' : 'required';
  const message = `Cannot find ${/^[./]/.test(specifier) ? 'module' : 'package'} '${specifier}' ${how} from ${by}`;
  throw Object.assign(new Error(message), { code: kind === 'import' ? 'ERR_MODULE_NOT_FOUND' : 'MODULE_NOT_FOUND' });
}

function notDefined(key: string, field: string, kind: RequestKind, { instance }: Location): Error {
  const what = field === 'imports' ? `'${key}'` : key === '.' ? 'its main entry' : `subpath '${key}'`;
  const message = `The "${field}" of the package ${instance.label} define no ${what} for ${kind}`;
  const code = field === 'imports' ? 'ERR_PACKAGE_IMPORT_NOT_DEFINED' : 'ERR_PACKAGE_PATH_NOT_EXPORTED';
  return Object.assign(new Error(message.replace('no its', 'no')), { code });
}
