/** The error of a call to a module or function that does not exist (Erlang: `undef`). */
export class UndefError extends Error {
  override readonly name = 'undef';
}

type Exports = Record<string, unknown>;

/**
 * The objects that `import { add } from 'hot:demo'` reads from: one per module, the same for ever, with the exports of the
 * current version. esbuild turns each use of an imported name into a property read. So a call reaches the current version,
 * as a fully qualified call does in Erlang, and costs one property read.
 *
 * A name that no version exported is a function that throws `undef`. Only such names use a Proxy.
 */
export class HotImports {
  readonly #hotImports = new Map<string, ReturnType<typeof hotImport>>();
  readonly #exports = new Map<string, Exports>();

  of(module: string): Exports {
    const known = this.#hotImports.get(module);
    if (known !== undefined) return known.names;
    const created = hotImport(module);
    created.setExports(this.#exports.get(module) ?? {});
    this.#hotImports.set(module, created);
    return created.names;
  }

  /** Sets the current exports of a module; null when it is not loaded. */
  setExports(module: string, exports: Exports | null): void {
    if (exports === null) this.#exports.delete(module);
    else this.#exports.set(module, exports);
    this.#hotImports.get(module)?.setExports(exports ?? {});
  }
}

/**
 * The exports of one module for its importers. V8 reads `names` fast as long as no property is deleted and no getter is
 * replaced. So a removed export is hidden, and a variable has one getter for all versions.
 */
function hotImport(module: string) {
  let current: Exports = {};

  const undef =
    (name: string) =>
    (...args: unknown[]): unknown => {
      // The function can exist now: `import * as demo` reads all names early.
      const found = Object.hasOwn(current, name) ? current[name] : undefined;
      if (typeof found === 'function') return Reflect.apply(found, undefined, args) as unknown;
      throw new UndefError(`no function ${name} of module ${module} is loaded`);
    };
  const missing = (name: string | symbol): unknown => {
    // Symbols and these two names are read by the language and by esbuild, not by a caller.
    if (typeof name === 'symbol' || name === 'then') return undefined;
    return name === '__esModule' ? true : undef(name);
  };
  const names = Object.create(new Proxy({}, { get: (_, name) => missing(name) })) as Exports;
  const define = (name: string, property: PropertyDescriptor): void => {
    Object.defineProperty(names, name, { ...property, configurable: true });
  };

  const setExports = (exports: Exports): void => {
    current = exports;
    for (const name of Object.keys(names)) {
      if (!Object.hasOwn(exports, name)) define(name, { value: undef(name), enumerable: false, writable: true });
    }
    for (const [name, value] of Object.entries(exports)) {
      const known = Object.getOwnPropertyDescriptor(names, name);
      const isVariable = known?.get !== undefined;
      // A function is copied, so that a call needs no getter. A variable is read through a getter.
      if (typeof value !== 'function') {
        if (!isVariable) define(name, { get: () => current[name], enumerable: true });
      } else if (known?.enumerable === true && !isVariable) names[name] = value;
      else define(name, { value, enumerable: true, writable: true });
    }
  };
  return { names, setExports };
}
