const hostile = (): never => {
  throw new Error('not even this');
};

/** Values that throw when they are read. */
export const hostiles: [string, unknown][] = [
  ['an error whose stack throws', Object.defineProperty(new Error('no'), 'stack', { get: hostile })],
  ['an error whose stack is not a text', Object.assign(new Error('no'), { stack: 7, name: {}, message: [] })],
  ['an object that throws when it is inspected', { [Symbol.for('nodejs.util.inspect.custom')]: hostile }],
  ['a proxy without a prototype', new Proxy({}, { getPrototypeOf: hostile, get: hostile })],
];
