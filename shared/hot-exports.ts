/** The names that the language and libraries read of any object: of one that is awaited, compared, printed. */
const READ_OF_ANY_OBJECT = new Set(['then', 'toJSON', ...Object.getOwnPropertyNames(Object.prototype)]);

/**
 * The prototype of an object with the exports of a module, for `hot:` imports: it is read for names that the object lacks.
 *
 * @param read called with such a name, if an importer reads it and not the language; returns its value, or throws.
 */
export function missingExports(read: (name: string) => unknown): object {
  const get = (_: object, name: string | symbol): unknown => {
    if (name === '__esModule') return true;
    return typeof name === 'symbol' || READ_OF_ANY_OBJECT.has(name) ? undefined : read(name);
  };
  return new Proxy({}, { get });
}

/** An object whose properties are read at each use. */
export function liveObject(
  names: readonly string[],
  read: (name: string) => unknown,
  prototype: object = Object.prototype,
): Record<string, unknown> {
  const live = Object.create(prototype) as Record<string, unknown>;
  for (const name of names) Object.defineProperty(live, name, { get: () => read(name), enumerable: true });
  return live;
}
