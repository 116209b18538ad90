import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isModuleNamespaceObject } from 'node:util/types';
import { Script } from 'node:vm';

import { ES_MODULE_HEADER } from '../../../protocol/packages.ts';
import { runOutside } from '../sandbox/execution-context.ts';
import { readNames } from '../sandbox/web-names.ts';
import type { FileModule, FileRecord, PackageRequire } from './file-record.ts';
import { fileNameOf, type Instance, type Location } from './instance.ts';
import { completeNamespace, namespaceOf } from './namespace.ts';
import { type GlobalsDeps, PACKAGE_GLOBALS, packageGlobals } from './package-globals.ts';
import { createResolver, type KnownPackages, type Requester, type Resolved } from './resolver.ts';

/** The parameters of a file's function. The build has replaced `import.meta` and `import()`. */
const PARAMETERS = [
  'exports',
  'require',
  'module',
  '__filename',
  '__dirname',
  '__hotcast_meta',
  '__hotcast_import',
] as const;

/**
 * The globals are parameters of a function around the file, so that the file can declare variables of their names. Both are in
 * brackets: V8 then compiles them in one step.
 */
const HEAD = `(function (${PACKAGE_GLOBALS.join(', ')}) { return (function (${PARAMETERS.join(', ')}) {\n`;
const TAIL = '\n}) })';

type FileFactory = (...globals: readonly unknown[]) => (...parameters: readonly unknown[]) => void;

/** Before the specifier of what was an `import`, and gets the exports of the file instead of a namespace. */
export const IMPORTED = 'npm:';

const nodeRequire = createRequire(import.meta.url);

/** A file that is asked for was not started as a program. */
const PARENT = Object.freeze({ id: '.', exports: {}, loaded: true, children: [] });

export type Evaluator = ReturnType<typeof createEvaluator>;

/** The code of packages: what requires a file gets its exports. A file is evaluated once, when it is first required. */
export function createEvaluator(
  deps: KnownPackages &
    Omit<GlobalsDeps, 'requireFor'> & {
      /** Has the files of an instance lie in its folder. */
      readonly place: (instance: Instance) => void;
    },
) {
  const { resolve } = createResolver(deps);
  /** The names and versions of the packages whose files threw. */
  const throwers = new WeakMap<object, string>();

  const globalsOf = (instance: Instance) =>
    (instance.globals ??= packageGlobals(instance.label, { ...deps, requireFor }));

  /** `module.createRequire` in a package, for a file in any package. */
  const requireFor = (file: string | URL): PackageRequire | null => {
    const isUrl = file instanceof URL || file.startsWith('file:');
    const location = deps.locate(isUrl ? fileURLToPath(file) : file);
    return location === null ? null : requireFrom(location);
  };

  const noteThrower = (error: unknown, label: string): void => {
    if (typeof error === 'object' && error !== null && !throwers.has(error)) throwers.set(error, label);
  };

  /** The record of a file, evaluated if it is the first time. @throws what the file throws */
  const load = (location: Location): FileRecord => {
    const { instance, path } = location;
    const known = instance.records.get(path);
    if (known !== undefined) return known;
    if (path.endsWith('.node')) throw new Error(`${instance.label} loads ${path}: a native package can't be loaded`);
    if (path.endsWith('.json')) {
      const record = { module: { exports: JSON.parse(instance.read(path)) as unknown }, isEsm: false };
      instance.records.set(path, record);
      return record;
    }
    try {
      return evaluate(location);
    } catch (error) {
      instance.records.delete(path);
      noteThrower(error, instance.label);
      throw error;
    }
  };

  const evaluate = (location: Location): FileRecord => {
    const { instance, path } = location;
    const filename = fileNameOf(location);
    const converted = instance.readConverted(path);
    const isEsm = converted?.startsWith(ES_MODULE_HEADER) === true;
    if (converted === null && isEsModule(location)) throw new Error(`${instance.label}/${path} is not converted`);
    const code = (converted ?? instance.read(path)).replace(/^#!/, '//');
    const require = requireFrom(location);
    const module: FileModule = {
      exports: {},
      id: filename,
      filename,
      path: dirname(filename),
      loaded: false,
      parent: PARENT,
      children: [],
      paths: [],
      require,
    };
    const record: FileRecord = { module, isEsm };
    instance.records.set(path, record);
    readNames(code);
    const script = new Script(`${HEAD}${code}${TAIL}`, { filename, lineOffset: -1 });
    const { values } = globalsOf(instance);
    // It serves all versions: what its top level starts belongs to none.
    runOutside(() => {
      const run = (script.runInThisContext() as FileFactory)(...values);
      const meta = isEsm ? metaOf(filename, require) : undefined;
      Reflect.apply(run, module.exports, [
        module.exports,
        require,
        module,
        filename,
        module.path,
        meta,
        (specifier: unknown) => importLater(String(specifier), location),
      ]);
    });
    module.loaded = true;
    completeNamespace(module.exports);
    return record;
  };

  /** What `import` gets of a file or of a built-in module. */
  const imported = (resolved: Resolved, from: Requester): object => {
    if (resolved.kind !== 'file') {
      const exports = required(resolved, from);
      return isModuleNamespaceObject(exports) ? (exports as object) : namespaceOf(exports);
    }
    const { module, isEsm } = load(resolved);
    return isEsm ? (module.exports as object) : namespaceOf(module.exports);
  };

  /** What `require` gets of it. */
  const required = (resolved: Resolved, from: Requester): unknown => {
    if (resolved.kind === 'file') {
      const { module, isEsm } = load(resolved);
      const { exports } = module;
      const named = isEsm ? Object.getOwnPropertyDescriptor(exports, 'module.exports') : undefined;
      return named === undefined ? exports : Reflect.get(exports as object, 'module.exports');
    }
    if (resolved.kind === 'outside') return requiredOutside(resolved.file);
    return 'instance' in from ? globalsOf(from.instance).builtin(resolved.id) : nodeRequire(resolved.id);
  };

  /** A file that Node.js loads: it serves all versions, as {@link evaluate} says. */
  const requiredOutside = (file: string): unknown => {
    try {
      return runOutside(() => nodeRequire(file) as unknown);
    } catch (error) {
      noteThrower(error, /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? file);
      throw error;
    }
  };

  /** Compilers mark what was an `import` and is read as with `require`. */
  const find = (specifier: string, from: Requester): Resolved =>
    specifier.startsWith(IMPORTED)
      ? resolve(specifier.slice(IMPORTED.length), 'import', from)
      : resolve(specifier, 'require', from);

  const importLater = async (specifier: string, from: Location): Promise<object> =>
    Promise.resolve().then(() => imported(resolve(specifier, 'import', from), from));

  const requireFrom = (from: Requester): PackageRequire => {
    const require = (specifier: string): unknown => required(find(specifier, from), from);
    const resolveFrom: PackageRequire['resolve'] = (specifier, options) => {
      const starts = options?.paths?.map(path => deps.locate(`${path}/noop.js`) ?? from) ?? [from];
      const found = firstOf(starts, start => find(specifier, start));
      if (found.kind === 'file') deps.place(found.instance);
      return nameOf(found);
    };
    return Object.assign(require, {
      import: (specifier: string) => imported(resolve(specifier, 'import', from), from),
      resolve: resolveFrom,
      cache: {},
      main: undefined,
      extensions: {},
    });
  };

  return {
    requireFrom,
    /** The package whose file has thrown an error, as `name@version`; null when it was none. */
    throwerOf: (error: unknown): string | null =>
      typeof error === 'object' && error !== null ? (throwers.get(error) ?? null) : null,
  };
}

/** Whether Node.js loads a file as an ES module. */
function isEsModule({ instance, path }: Location): boolean {
  return path.endsWith('.mjs') || (path.endsWith('.js') && instance.scopeOf(path).manifest.type === 'module');
}

function metaOf(filename: string, require: PackageRequire): object {
  const resolve = (specifier: string): string => {
    const found = require.resolve(IMPORTED + specifier);
    return found.startsWith('/') ? pathToFileURL(found).href : found;
  };
  return { url: pathToFileURL(filename).href, filename, dirname: dirname(filename), resolve, main: false };
}

function nameOf(resolved: Resolved): string {
  if (resolved.kind === 'file') return fileNameOf(resolved);
  return resolved.kind === 'builtin' ? resolved.id : resolved.file;
}

/** The first result that does not throw. @throws the first error when all do */
function firstOf<From, To>(from: readonly From[], attempt: (each: From) => To): To {
  const errors: unknown[] = [];
  for (const each of from) {
    try {
      return attempt(each);
    } catch (error) {
      errors.push(error);
    }
  }
  throw errors[0];
}
