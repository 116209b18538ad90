/**
 * Gives a prototype the properties of a class of Node.js that it has none of its own for: they are those of the real object.
 * The prototype's objects are instances of that class from then on.
 *
 * @param real the real object; what is none of ours, it returns.
 */
export function inherit(
  prototype: object,
  native: { readonly prototype: object },
  real: (value: object) => object,
): void {
  for (const name of Reflect.ownKeys(native.prototype)) {
    if (Object.hasOwn(prototype, name) && name !== 'constructor') continue;
    const found = Object.getOwnPropertyDescriptor(native.prototype, name);
    if (found === undefined) continue;
    Object.defineProperty(prototype, name, name === 'constructor' ? found : forwarded(found, real));
  }
  Object.setPrototypeOf(prototype, native.prototype);
}

function forwarded(found: PropertyDescriptor, real: (value: object) => object): PropertyDescriptor {
  const property = { enumerable: found.enumerable ?? false, configurable: true };
  if (found.get !== undefined) {
    return {
      ...property,
      get(this: object): unknown {
        return found.get?.call(real(this));
      },
    };
  }
  const value: unknown = found.value;
  if (typeof value !== 'function') return { ...property, value, writable: true };
  return {
    ...property,
    writable: true,
    value(this: object, ...args: unknown[]): unknown {
      return Reflect.apply(value, real(this), args);
    },
  };
}
