/** A function of an object, bound to it: the `fetch` of a Hono app needs its app. Null when there is none. */
export function functionOf(owner: unknown, name: string): ((...args: unknown[]) => unknown) | null {
  const found = isObject(owner) ? owner[name] : undefined;
  return typeof found === 'function' ? (...args) => Reflect.apply(found, owner, args) as unknown : null;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
