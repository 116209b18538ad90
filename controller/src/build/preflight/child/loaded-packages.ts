import Module, { createRequire } from 'node:module';
import { isNativeError, isModuleNamespaceObject } from 'node:util/types';

import { packageNameOf } from '../../packages/package-folder.ts';
import type { LeftOut } from '../../packages/packages.ts';
import type { PackagesUnderTest, Refusal } from '../protocol.ts';
import { describeChange, describeError, shortList } from './describe.ts';
import type { Environment, PackageRequire } from './environment.ts';
import { changesSince, snapshot, type Snapshot } from './intrinsics.ts';

/** What came of loading a file of a package. */
type LoadedFile =
  | { readonly status: 'loaded'; readonly exports: unknown }
  /** Only a node can tell: it needs I/O. */
  | { readonly status: 'unknown'; readonly warning: string }
  | Refusal;

/** The packages that a module uses. */
export interface UsedPackages {
  readonly status: 'loaded';
  /** Null when it uses none. */
  readonly require: PackageRequire | null;
  readonly warnings: readonly string[];
}

const requireFile = createRequire(import.meta.url);

/** The packages that modules under test use, loaded by Node.js's own loader. A file is loaded once. */
export class LoadedPackages {
  readonly #environment: Environment;
  readonly #loaded = new Map<string, LoadedFile>();
  readonly #externals = new Set<string>();
  #before = snapshot();

  constructor(environment: Environment) {
    this.#environment = environment;
    stubPackages(this.#externals, environment.io);
  }

  /** The state of the built-in objects, with the globals of packages: they are set once, and not by a module. */
  get before(): Snapshot {
    return this.#before;
  }

  /** Loads what a module requires of packages. */
  load({ imports, leftOut, externals }: PackagesUnderTest): UsedPackages | Refusal {
    for (const name of externals) this.#externals.add(name);
    const files = new Map<string, LoadedFile>();
    for (const { specifier, file } of imports) {
      const loaded = this.#file(file);
      if (loaded.status === 'refused') return withLeftOut(loaded, nameIn(specifier), leftOut);
      files.set(specifier, loaded);
    }
    const require: PackageRequire = (specifier, isNamespace) => {
      if (this.#externals.has(packageNameOf(nameIn(specifier)))) return this.#environment.io;
      const loaded = files.get(isNamespace ? `npm:${specifier}` : specifier);
      if (loaded?.status === 'unknown') return this.#environment.io;
      if (loaded?.status !== 'loaded') return undefined;
      return isNamespace ? namespaceOf(loaded.exports) : loaded.exports;
    };
    const warnings = [...files].flatMap(([specifier, loaded]) =>
      loaded.status === 'unknown' ? [`its package ${nameIn(specifier)} ${loaded.warning}`] : [],
    );
    return { status: 'loaded', require: imports.length + externals.length === 0 ? null : require, warnings };
  }

  #file(file: string): LoadedFile {
    const known = this.#loaded.get(file);
    if (known !== undefined) return known;
    const loaded = this.#evaluate(file);
    this.#loaded.set(file, loaded);
    return loaded;
  }

  #evaluate(file: string): LoadedFile {
    const { reset, used } = this.#environment;
    reset();
    let exports: unknown;
    let thrown: { readonly error: unknown } | null = null;
    try {
      exports = requireFile(file);
    } catch (error) {
      thrown = { error };
    }
    const { changed, added, globals } = changesSince(this.#before);
    if ([changed, added, globals].some(names => names.length > 0)) this.#before = snapshot(this.#before);
    // A package that looks for a native one can do without it. One that fails then can't.
    const { violation } = used;
    if (violation !== null && violation.reason !== 'native_addon')
      return refused(violation.reason, violation.message, violation);
    if (changed.length > 0) return refused('intrinsics', describeChange(changed));
    if (thrown === null) return { status: 'loaded', exports };
    const { error } = thrown;
    const code = isNativeError(error) && 'code' in error ? error.code : null;
    if (code === 'ERR_REQUIRE_ASYNC_MODULE') {
      return refused('throws', 'has a top-level await, which a package of a hot module must not have');
    }
    // An ES module of it has imported an external package.
    if (violation !== null && this.#externals.size > 0) {
      const names = shortList([...this.#externals]);
      return { status: 'unknown', warning: `needs ${names}, so only a node can tell whether it loads` };
    }
    if (violation !== null) return refused('native_addon', `loads a native addon: ${describeError(error)}`, error);
    if (!used.stub && code !== 'ERR_ACCESS_DENIED')
      return refused('throws', `throws while it loads: ${describeError(error)}`, error);
    const warning = `needs I/O to load, so only a node can tell whether it does: ${describeError(error)}`;
    return { status: 'unknown', warning };
  }
}

/** Gives packages a stub for external packages that they require. */
function stubPackages(names: ReadonlySet<string>, io: object): void {
  const loader = Module as unknown as { _load: (request: string, ...others: unknown[]) => unknown };
  const load = loader._load;
  loader._load = (request, ...others) =>
    names.has(packageNameOf(request)) ? io : Reflect.apply(load, loader, [request, ...others]);
}

/** What an import sees. */
function namespaceOf(exports: unknown): unknown {
  if (isModuleNamespaceObject(exports)) return exports;
  const namespace = { __esModule: true, default: exports };
  if ((typeof exports !== 'object' && typeof exports !== 'function') || exports === null) return namespace;
  for (const name of Object.getOwnPropertyNames(exports)) {
    if (name in namespace) continue;
    Object.defineProperty(namespace, name, { get: () => Reflect.get(exports, name) as unknown, enumerable: true });
  }
  return namespace;
}

function refused(reason: Refusal['reason'], detail: string, error?: unknown): Refusal {
  const stack = isNativeError(error) && typeof error.stack === 'string' ? error.stack : null;
  return { status: 'refused', reason, detail, stack };
}

function nameIn(specifier: string): string {
  return specifier.replace(/^npm:/, '');
}

/** A package that fails may need a native one that was left out. */
function withLeftOut(refusal: Refusal, name: string, leftOut: readonly LeftOut[]): Refusal {
  const own = leftOut.filter(({ root }) => root === packageNameOf(name));
  const labels = [...new Set(own.map(({ label }) => label))].join(', ');
  const remedies = [...new Set(own.map(({ remedy }) => remedy))].join('; or ');
  const why = own.length === 0 ? '' : ` (left out, because native packages are not sent: ${labels}; ${remedies})`;
  return { ...refusal, detail: `its package ${name} ${refusal.detail}${why}` };
}
