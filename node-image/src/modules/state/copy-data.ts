import { types } from 'node:util';

/** Fills a copy that was created empty, because values can contain each other. */
type Fill = () => void;

/**
 * Copies data as `codeChange` gets it. Plain data is copied deeply: plain objects and arrays, `Map`, `Set`, `Date`, `RegExp`,
 * `ArrayBuffer`, typed arrays, `DataView`, `Buffer`. Everything else is handed over as it is: functions, instances of classes,
 * also of subclasses of those, sockets, promises, symbols, `SharedArrayBuffer`. What occurs twice is copied once. A getter is
 * replaced by its value. Symbol keys are copied; properties that are not enumerable are not.
 */
export function copyData<T extends object>(data: T): T {
  const copies = new Map<object, object>();
  const pending: Fill[] = [];
  const copyOf = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const known = copies.get(value);
    if (known !== undefined) return known;
    const copy = shellOf(value, copyOf, pending);
    copies.set(value, copy);
    return copy;
  };
  const copied = copyOf(data) as T;
  for (let fill = pending.pop(); fill !== undefined; fill = pending.pop()) fill();
  return copied;
}

/** The copy of an object, still without what the object contains; the object itself when it is not plain data. */
function shellOf(value: object, copyOf: (value: unknown) => unknown, pending: Fill[]): object {
  switch (Object.getPrototypeOf(value)) {
    case Object.prototype:
    case null: {
      const copy = Object.create(Object.getPrototypeOf(value) as object | null) as object;
      pending.push(() => copyProperties(value, copy, copyOf));
      return copy;
    }
    case Array.prototype: {
      // With its holes and its other properties.
      const copy: unknown[] = Array.from({ length: 0 });
      copy.length = (value as unknown[]).length;
      pending.push(() => copyProperties(value, copy, copyOf));
      return copy;
    }
    case Map.prototype: {
      const copy = new Map<unknown, unknown>();
      pending.push(() => (value as Map<unknown, unknown>).forEach((item, key) => copy.set(copyOf(key), copyOf(item))));
      return copy;
    }
    case Set.prototype: {
      const copy = new Set<unknown>();
      pending.push(() => (value as Set<unknown>).forEach(item => copy.add(copyOf(item))));
      return copy;
    }
    case Date.prototype:
      return new Date(value as Date);
    case RegExp.prototype:
      return Object.assign(new RegExp(value as RegExp), { lastIndex: (value as RegExp).lastIndex });
    case ArrayBuffer.prototype:
      return (value as ArrayBuffer).slice(0);
    case Buffer.prototype:
      // Not its ArrayBuffer, which it can share with Buffers of other code.
      return Buffer.from(value as Buffer);
    default:
      return copyOfView(value, copyOf);
  }
}

function copyProperties(from: object, to: object, copyOf: (value: unknown) => unknown): void {
  for (const [key, item] of Object.entries(from)) set(to, key, copyOf(item));
  for (const key of Object.getOwnPropertySymbols(from)) {
    if (Object.prototype.propertyIsEnumerable.call(from, key)) set(to, key, copyOf(Reflect.get(from, key)));
  }
}

/** An assignment of `__proto__` would set the prototype. */
function set(to: object, key: string | symbol, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(to, key, { value, writable: true, enumerable: true, configurable: true });
  else Reflect.set(to, key, value);
}

/** A typed array or `DataView` on the copy of its buffer, so that views of one buffer still share it. */
function copyOfView(value: object, copyOf: (value: unknown) => unknown): object {
  if (!ArrayBuffer.isView(value) || !types.isArrayBuffer(value.buffer)) return value;
  const prototype = Object.getPrototypeOf(value) as { constructor: unknown };
  const View = BUILT_IN_VIEWS.find(each => each.prototype === prototype);
  if (View === undefined) return value;
  const length = 'length' in value ? (value as Uint8Array).length : value.byteLength;
  return new (View as typeof Uint8Array)(copyOf(value.buffer) as ArrayBuffer, value.byteOffset, length);
}

const BUILT_IN_VIEWS = [
  DataView,
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const;
