/** What functions have of themselves. */
const OF_FUNCTIONS = new Set(['length', 'name', 'prototype', 'arguments', 'caller']);

/** The namespaces of CommonJS exports and of built-in modules. */
const namespaces = new WeakMap<object, object>();

/**
 * What `import` sees of a file: the exports of an ES module, or for a CommonJS file and a built-in module an object whose
 * `default` is its exports and whose names are read from them at each use. The same exports have the same namespace.
 *
 * @param isComplete whether the file was evaluated to its end; names that it adds later get into the namespace by
 *   {@link completeNamespace}.
 */
export function namespaceOf(exports: unknown): object {
  const isObject = (typeof exports === 'object' && exports !== null) || typeof exports === 'function';
  const known = isObject ? namespaces.get(exports) : undefined;
  if (known !== undefined) return known;
  // As with esbuild's __toESM: what the exports inherit can be read too.
  const namespace = Object.create(isObject ? (Object.getPrototypeOf(exports) as object | null) : null) as object;
  Object.defineProperty(namespace, '__esModule', { value: true });
  Object.defineProperty(namespace, 'default', { value: exports, enumerable: true });
  if (!isObject) return namespace;
  namespaces.set(exports, namespace);
  completeNamespace(exports);
  return namespace;
}

/** Adds names to a namespace that exports have got since it was made: in a circle, a file is imported before its end. */
export function completeNamespace(exports: unknown): void {
  if ((typeof exports !== 'object' && typeof exports !== 'function') || exports === null) return;
  const namespace = namespaces.get(exports);
  if (namespace === undefined) return;
  for (const name of Object.getOwnPropertyNames(exports)) {
    if (Object.hasOwn(namespace, name) || (typeof exports === 'function' && OF_FUNCTIONS.has(name))) continue;
    const get = (): unknown => Reflect.get(exports, name) as unknown;
    const enumerable = Object.getOwnPropertyDescriptor(exports, name)?.enumerable ?? true;
    Object.defineProperty(namespace, name, { get, enumerable });
  }
}
