/**
 * Something that stands for whatever a module wants from outside: it can be called, constructed, extended, iterated
 * (nothing is in it), read and written to any depth, and nothing comes of it. A promise of it never settles.
 *
 * @param touched told when the module uses it as a value, so that from then on it may not do what it would on a node.
 */
export function stub(touched: () => void = () => undefined): object {
  const behaviour: ProxyHandler<() => void> = {
    get: (_, name) => {
      if (typeof name === 'symbol') return wellKnown(name, touched);
      return name === '__esModule' ? undefined : whole;
    },
    has: () => true,
    set: () => true,
    deleteProperty: () => true,
    defineProperty: () => true,
    apply: () => {
      touched();
      return whole;
    },
    construct: (_target, _args, { prototype }: { readonly prototype: unknown }) => {
      touched();
      // An instance of a module's class that extends it keeps the methods of that class.
      return typeof prototype === 'object' && prototype !== null ? (Object.create(prototype) as object) : whole;
    },
  };
  // The compiler copies what is imported as a whole, and the copy inherits the names. The chain has to have an end.
  const ancestor = new Proxy(function () {}, { ...behaviour, getPrototypeOf: () => null });
  const whole: object = new Proxy(function () {}, { ...behaviour, getPrototypeOf: () => ancestor });
  return whole;
}

function wellKnown(name: symbol, touched: () => void): unknown {
  switch (name) {
    case Symbol.toPrimitive:
      touched();
      return (hint: string) => (hint === 'number' ? 0 : '');
    case Symbol.iterator:
      touched();
      return () => [][Symbol.iterator]();
    case Symbol.hasInstance:
      return () => false;
    default:
      return undefined;
  }
}
