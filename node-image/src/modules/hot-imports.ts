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
  readonly #hotImports = new Map<string, HotImport>();
  readonly #exports = new Map<string, Exports>();

  of(module: string): Exports {
    let hotImport = this.#hotImports.get(module);
    if (hotImport === undefined) {
      hotImport = new HotImport(module, this.#exports.get(module) ?? {});
      this.#hotImports.set(module, hotImport);
    }
    return hotImport.names;
  }

  /** Sets the current exports of a module; null when it is not loaded. */
  setExports(module: string, exports: Exports | null): void {
    if (exports === null) this.#exports.delete(module);
    else this.#exports.set(module, exports);
    this.#hotImports.get(module)?.setExports(exports ?? {});
  }
}

/**
 * The exports of one module for its importers. V8 reads {@link names} fast as long as no property is deleted and no getter
 * is replaced. So a removed export is hidden, and a variable has one getter for all versions.
 */
class HotImport {
  readonly names: Exports;
  readonly #module: string;
  #exports: Exports = {};

  constructor(module: string, exports: Exports) {
    this.#module = module;
    this.names = Object.create(new Proxy({}, { get: (_, name) => this.#missing(name) })) as Exports;
    this.setExports(exports);
  }

  setExports(exports: Exports): void {
    this.#exports = exports;
    for (const name of Object.keys(this.names)) {
      if (!Object.hasOwn(exports, name)) this.#define(name, { value: this.#undef(name), enumerable: false });
    }
    for (const [name, value] of Object.entries(exports)) {
      const known = Object.getOwnPropertyDescriptor(this.names, name);
      const isVariable = known?.get !== undefined;
      // A function is copied, so that a call needs no getter. A variable is read through a getter.
      if (typeof value !== 'function') {
        if (isVariable) continue;
        Object.defineProperty(this.names, name, {
          get: () => this.#exports[name],
          enumerable: true,
          configurable: true,
        });
      } else if (known?.enumerable === true && !isVariable) this.names[name] = value;
      else this.#define(name, { value, enumerable: true });
    }
  }

  #define(name: string, property: { readonly value: unknown; readonly enumerable: boolean }): void {
    Object.defineProperty(this.names, name, { ...property, writable: true, configurable: true });
  }

  #missing(name: string | symbol): unknown {
    // Symbols and these two names are read by the language and by esbuild, not by a caller.
    if (typeof name === 'symbol' || name === 'then') return undefined;
    return name === '__esModule' ? true : this.#undef(name);
  }

  #undef(name: string): (...args: unknown[]) => unknown {
    return (...args) => {
      // The function can exist now: `import * as demo` reads all names early.
      const found = Object.hasOwn(this.#exports, name) ? this.#exports[name] : undefined;
      if (typeof found === 'function') return Reflect.apply(found, undefined, args) as unknown;
      throw new UndefError(`no function ${name} of module ${this.#module} is loaded`);
    };
  }
}
