/**
 * Stands for an object that is made when it is first looked at. Everything that is done to the one is done to the other;
 * its properties must be configurable.
 */
export function lazyProxy<T extends object>(make: () => T): T {
  let made: T | undefined;
  type Trap = (target: object, ...rest: unknown[]) => unknown;
  // Whatever trap is asked for: the operation of that name, on the object itself.
  const trap = (_: object, name: string | symbol): Trap => {
    const operation = Reflect.get(Reflect, name) as Trap;
    return (_standIn, ...rest) => operation((made ??= make()), ...rest);
  };
  return new Proxy({}, new Proxy({}, { get: trap })) as T;
}
