/** The names that the language and libraries read of any object. */
const READ_OF_ANY_OBJECT = new Set(['then', 'toJSON', ...Object.getOwnPropertyNames(Object.prototype)]);

/**
 * The exports of a module of the set, as a node gives them to the modules that import it as `hot:<module>`: to read a name
 * that the module does not export throws.
 *
 * @param onUse called when a name is read. What the module returns can depend on data that only a node has.
 */
export function hotExports(module: string, exports: object, onUse: () => void): object {
  const missing = (_: object, name: string | symbol): unknown => {
    if (name === '__esModule') return true;
    if (typeof name === 'symbol' || READ_OF_ANY_OBJECT.has(name)) return undefined;
    onUse();
    throw new Error(`no export ${name} of module ${module} is loaded`);
  };
  const names = Object.create(new Proxy({}, { get: missing })) as object;
  for (const name of Object.keys(exports)) {
    const get = (): unknown => {
      onUse();
      return Reflect.get(exports, name);
    };
    Object.defineProperty(names, name, { get, enumerable: true });
  }
  return names;
}
