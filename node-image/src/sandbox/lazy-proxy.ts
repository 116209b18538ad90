/**
 * A proxy of an object that is created when it is first used. Every operation on the proxy is done on the object. The
 * object's properties must be configurable.
 */
export function lazyProxy<T extends object>(create: () => T): T {
  let created: T | undefined;
  type Trap = (target: object, ...rest: unknown[]) => unknown;
  // Each trap calls the function of the same name in Reflect, on the object itself.
  const trap = (_: object, name: string | symbol): Trap => {
    const operation = Reflect.get(Reflect, name) as Trap;
    return (_target, ...rest) => operation((created ??= create()), ...rest);
  };
  return new Proxy({}, new Proxy({}, { get: trap })) as T;
}
