import { liveObject, missingExports } from '../../../shared/hot-exports.ts';
import type { BundleInfo } from './version.ts';

/** The error of a use of a module or an export that does not exist (Erlang: `undef`). */
export class UndefError extends Error {
  override readonly name = 'undef';
}

type Exports = Record<string, unknown>;

/** The exports of a version, and the names in them whose values can change. */
export interface ExportingVersion {
  readonly exports: Exports;
  readonly bundle: Pick<BundleInfo, 'live'>;
}

/**
 * The objects that `import { add } from 'hot:demo'` reads from: one per module, the same for ever, with the exports of the
 * current version. esbuild turns each use of an imported name into a property read. So a call reaches the current version,
 * as a fully qualified call does in Erlang, and costs one property read.
 *
 * A read of a name that the current version does not export throws `undef`. Only a name that was never there uses a Proxy.
 */
export class HotImports {
  readonly #hotImports = new Map<string, ReturnType<typeof hotImport>>();
  readonly #versions = new Map<string, ExportingVersion>();
  /** Called when a name is read that a module does not export. It can set a version that does. */
  onMissing: (module: string) => void = () => undefined;

  of(module: string): Exports {
    const known = this.#hotImports.get(module);
    if (known !== undefined) return known.names;
    const created = hotImport(module, () => this.onMissing(module));
    created.setExports(this.#versions.get(module) ?? null);
    this.#hotImports.set(module, created);
    return created.names;
  }

  /** An object with some exports of a module, also with those that it does not have yet, for `export * from 'hot:demo'`. */
  pick(module: string, names: readonly string[]): Exports {
    const from = this.of(module);
    return liveObject(names, name => from[name]);
  }

  /** Sets the current version of a module; null when it is not loaded. Returns the one before. */
  setExports(module: string, version: ExportingVersion | null): ExportingVersion | null {
    const before = this.#versions.get(module) ?? null;
    if (version === null) this.#versions.delete(module);
    else this.#versions.set(module, version);
    this.#hotImports.get(module)?.setExports(version);
    return before;
  }
}

/**
 * The exports of one module for its importers. V8 reads `names` fast as long as no property is deleted and no getter is
 * replaced. So a removed export is hidden, and a name that was live once keeps its getter for all versions.
 */
function hotImport(module: string, onMissing: () => void) {
  let current: Exports = {};

  const read = (name: string): unknown => {
    if (!Object.hasOwn(current, name)) onMissing();
    if (Object.hasOwn(current, name)) return current[name];
    throw new UndefError(`no export ${name} of module ${module} is loaded`);
  };
  const names = Object.create(missingExports(read)) as Exports;
  const define = (name: string, property: PropertyDescriptor): void => {
    Object.defineProperty(names, name, { ...property, configurable: true });
  };
  const getters = new Map<string, () => unknown>();
  const getterOf = (name: string): (() => unknown) => {
    const getter = getters.get(name) ?? (() => read(name));
    getters.set(name, getter);
    return getter;
  };

  const setExports = (version: ExportingVersion | null): void => {
    current = version?.exports ?? {};
    for (const name of Object.keys(names)) {
      if (!Object.hasOwn(current, name)) define(name, { get: getterOf(name), enumerable: false });
    }
    const live = new Set(version?.bundle.live);
    for (const name of Object.keys(current)) {
      const known = Object.getOwnPropertyDescriptor(names, name);
      const isNew = known?.enumerable !== true;
      const isConstantFunction = !live.has(name) && typeof current[name] === 'function';
      if (!isConstantFunction || (!isNew && known.get !== undefined))
        define(name, { get: getterOf(name), enumerable: true });
      // It is copied, so that a call needs no getter.
      else if (isNew) define(name, { value: current[name], writable: true, enumerable: true });
      else names[name] = current[name];
    }
  };
  return { names, setExports };
}
