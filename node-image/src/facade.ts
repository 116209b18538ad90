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
 * A name that is not there is a function that throws `undef` when it is called: only such names go through a Proxy.
 */
export class Facades {
  readonly #facades = new Map<string, Exports>();

  of(module: string): Exports {
    const known = this.#facades.get(module);
    if (known !== undefined) return known;
    const facade: Exports = Object.create(missingNames(module, () => facade)) as Exports;
    this.#facades.set(module, facade);
    return facade;
  }

  /** Has a module's names lead to these exports; null: to nothing. */
  point(module: string, exports: Exports | null): void {
    const facade = this.of(module);
    const descriptors = Object.getOwnPropertyDescriptors(exports ?? {});
    // Only what is gone: V8 reads an object slowly once a property was deleted.
    for (const name of Object.keys(facade)) if (!Object.hasOwn(descriptors, name)) delete facade[name];
    for (const [name, descriptor] of Object.entries(descriptors)) {
      const value = exports?.[name];
      // A function is copied, so that a call needs no getter; a variable stays live.
      if (typeof value !== 'function') Object.defineProperty(facade, name, { ...descriptor, configurable: true });
      else if (Object.getOwnPropertyDescriptor(facade, name)?.writable === true) facade[name] = value;
      else Object.defineProperty(facade, name, { configurable: true, enumerable: true, writable: true, value });
    }
  }
}

/** The prototype of a facade: what it has no property for. */
function missingNames(module: string, facade: () => Exports): object {
  const get = (_: object, name: string | symbol): unknown => {
    // Symbols and these two are asked for by the language and by esbuild, not by a caller.
    if (typeof name === 'symbol' || name === 'then') return undefined;
    if (name === '__esModule') return true;
    return (...args: unknown[]): unknown => {
      // It may have come since the name was read: `import * as demo` reads all names early.
      const found = Object.hasOwn(facade(), name) ? facade()[name] : undefined;
      if (typeof found === 'function') return Reflect.apply(found, undefined, args) as unknown;
      throw new UndefError(`no function ${name} of module ${module} is loaded`);
    };
  };
  return new Proxy({}, { get });
}
