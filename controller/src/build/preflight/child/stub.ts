/**
 * Stands in for any value with I/O. It can be called, constructed, extended, iterated (it is empty), read and written to any
 * depth, without an effect. A promise that is resolved with it never settles.
 *
 * @param onUse called when the module uses it as a value. After that the module can behave otherwise than on a node.
 */
export function stub(onUse: () => void = () => undefined): object {
  const handler: ProxyHandler<() => void> = {
    get: (_, name) => {
      if (typeof name === 'symbol') return wellKnown(name, onUse);
      return name === '__esModule' ? undefined : whole;
    },
    has: () => true,
    set: () => true,
    deleteProperty: () => true,
    defineProperty: () => true,
    apply: () => {
      onUse();
      return whole;
    },
    construct: (_target, _args, { prototype }: { readonly prototype: unknown }) => {
      onUse();
      // An instance of a subclass keeps the methods of its class.
      return typeof prototype === 'object' && prototype !== null ? (Object.create(prototype) as object) : whole;
    },
  };
  // esbuild copies a namespace that is imported as a whole, and the copy inherits the names. The prototype chain has to end.
  const ancestor = new Proxy(function () {}, { ...handler, getPrototypeOf: () => null });
  const whole: object = new Proxy(function () {}, { ...handler, getPrototypeOf: () => ancestor });
  return whole;
}

function wellKnown(name: symbol, onUse: () => void): unknown {
  switch (name) {
    case Symbol.toPrimitive:
      onUse();
      return (hint: string) => (hint === 'number' ? 0 : '');
    case Symbol.iterator:
      onUse();
      return () => [][Symbol.iterator]();
    case Symbol.hasInstance:
      return () => false;
    default:
      return undefined;
  }
}
