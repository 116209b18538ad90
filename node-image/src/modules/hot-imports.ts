/** A call of a module or function that is not there (Erlang: `undef`). */
export class UndefError extends Error {
  override readonly name = 'undef';
}

type Exports = Record<string, unknown>;

/**
 * What `import { add } from 'hot:demo'` reads its names from: one object a module, stable for ever, whose properties
 * are those of the current version. esbuild turns each use of an imported name into a property read, so a call through
 * here reaches the current version, as a fully qualified call does in Erlang, and costs a property read.
 *
 * A name that was never there is a function that throws `undef` when it is called: only such names go through a Proxy.
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

  /** Has a module's names lead to these exports; null: to nothing. */
  point(module: string, exports: Exports | null): void {
    if (exports === null) this.#exports.delete(module);
    else this.#exports.set(module, exports);
    // Most modules are imported by no other: they need no hotImport.
    this.#hotImports.get(module)?.point(exports ?? {});
  }
}

/**
 * V8 reads {@link names} fast as long as none of its properties is deleted and none has its getter replaced, so what has
 * gone is hidden, and a variable has one getter for all versions.
 */
class HotImport {
  readonly names: Exports;
  readonly #module: string;
  #exports: Exports = {};

  constructor(module: string, exports: Exports) {
    this.#module = module;
    this.names = Object.create(new Proxy({}, { get: (_, name) => this.#missing(name) })) as Exports;
    this.point(exports);
  }

  point(exports: Exports): void {
    this.#exports = exports;
    for (const name of Object.keys(this.names)) {
      if (!Object.hasOwn(exports, name)) this.#define(name, { value: this.#undef(name), enumerable: false });
    }
    for (const [name, value] of Object.entries(exports)) {
      const known = Object.getOwnPropertyDescriptor(this.names, name);
      const isVariable = known?.get !== undefined;
      // A function is copied, so that a call needs no getter; a variable stays live.
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
    // Symbols and these two are asked for by the language and by esbuild, not by a caller.
    if (typeof name === 'symbol' || name === 'then') return undefined;
    return name === '__esModule' ? true : this.#undef(name);
  }

  #undef(name: string): (...args: unknown[]) => unknown {
    return (...args) => {
      // It may have come since the name was read: `import * as demo` reads all names early.
      const found = Object.hasOwn(this.#exports, name) ? this.#exports[name] : undefined;
      if (typeof found === 'function') return Reflect.apply(found, undefined, args) as unknown;
      throw new UndefError(`no function ${name} of module ${this.#module} is loaded`);
    };
  }
}
