/** A function, and the object that it is called on. */
export interface Method {
  readonly owner: object;
  readonly method: (...args: unknown[]) => unknown;
}

/** The prototypes whose functions belong to every object. They are no functions of a module. */
const COMMON: ReadonlySet<unknown> = new Set([Object.prototype, Function.prototype]);

/**
 * Finds the function at the end of a path of properties: `exports.store.get` for `['store', 'get']`. An object inherits
 * methods of its class. Getters on the path run.
 *
 * @returns null when there is no such function.
 */
export function findMethod(exports: object, path: readonly string[]): Method | null {
  let owner: object = exports;
  for (const [depth, name] of path.entries()) {
    const holds = depth === 0 ? Object.hasOwn(owner, name) : isOwnOrInherited(owner, name);
    const value: unknown = holds ? Reflect.get(owner, name) : undefined;
    if (depth === path.length - 1)
      return typeof value === 'function' ? { owner, method: value as Method['method'] } : null;
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return null;
    owner = value;
  }
  return null;
}

function isOwnOrInherited(object: object, name: string): boolean {
  for (let at: object | null = object; at !== null && !COMMON.has(at); at = Reflect.getPrototypeOf(at)) {
    if (Object.hasOwn(at, name)) return name !== 'constructor';
  }
  return false;
}
