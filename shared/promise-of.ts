/** A promise, and what resolves it. */
export function promiseOf<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve = (_value: T): void => undefined;
  const promise = new Promise<T>(settle => (resolve = settle));
  return { promise, resolve };
}
