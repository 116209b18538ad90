import { types } from 'node:util';

/** Fills a copy that was created empty, because values can contain each other. */
type Fill = () => void;

/**
 * Copies data as `codeChange` gets it. Plain data is copied deeply: plain objects and arrays, `Map`, `Set`, `Date`, `RegExp`,
 * `ArrayBuffer`, typed arrays, `DataView`, `Buffer`. Everything else is handed over as it is: functions, instances of classes,
 * also of subclasses of those, sockets, promises, proxies, symbols, `SharedArrayBuffer`, a resizable `ArrayBuffer`,
 * and the views of these. What occurs twice is copied once. A getter is replaced by its value. Symbol keys are copied;
 * properties that are not enumerable are not.
 *
 * @param onUncopied called with each object that is handed over, functions left out.
 */
export function copyData<T extends object>(data: T, onUncopied: (value: object) => void = () => undefined): T {
  const copies = new Map<object, object>();
  const pending: Fill[] = [];
  const copyOf = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const known = copies.get(value);
    if (known !== undefined) return known;
    const copy = shellOf(value, copyOf, pending);
    if (copy === value) onUncopied(value);
    copies.set(value, copy);
    return copy;
  };
  const copied = copyOf(data) as T;
  for (let fill = pending.pop(); fill !== undefined; fill = pending.pop()) fill();
  return copied;
}

/** The copy of an object, still without what the object contains; the object itself when it is not plain data. */
function shellOf(value: object, copyOf: (value: unknown) => unknown, pending: Fill[]): object {
  if (types.isProxy(value)) return value;
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
      return isCopied(value as ArrayBuffer) ? (value as ArrayBuffer).slice(0) : value;
    case Buffer.prototype:
      // Not its ArrayBuffer, which it can share with Buffers of other code.
      return isCopied((value as Buffer).buffer) ? Buffer.from(value as Buffer) : value;
    default:
      return copyOfView(value, copyOf);
  }
}

function copyProperties(from: object, to: object, copyOf: (value: unknown) => unknown): void {
  for (const key of Object.keys(from)) set(to, key, copyOf((from as Record<string, unknown>)[key]));
  for (const key of Object.getOwnPropertySymbols(from)) {
    if (Object.prototype.propertyIsEnumerable.call(from, key)) set(to, key, copyOf(Reflect.get(from, key)));
  }
}

/** An assignment of `__proto__` would set the prototype. */
function set(to: object, key: string | symbol, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(to, key, { value, writable: true, enumerable: true, configurable: true });
  else (to as Record<string | symbol, unknown>)[key] = value;
}

/** Whether a buffer is copied. The views of one that grows can grow with it. */
function isCopied(buffer: ArrayBufferLike): boolean {
  return types.isArrayBuffer(buffer) && Reflect.get(buffer, 'resizable') !== true;
}

/** A typed array or `DataView` on the copy of its buffer, so that views of one buffer still share it. */
function copyOfView(value: object, copyOf: (value: unknown) => unknown): object {
  if (!ArrayBuffer.isView(value)) return value;
  const prototype = Object.getPrototypeOf(value) as object;
  const isBuiltIn = prototype === DataView.prototype || Object.getPrototypeOf(prototype) === TypedArray.prototype;
  const buffer = isBuiltIn ? copyOf(value.buffer) : value.buffer;
  if (buffer === value.buffer) return value;
  const length = 'length' in value ? (value as Uint8Array).length : value.byteLength;
  const View = prototype.constructor as typeof Uint8Array;
  return new View(buffer as ArrayBuffer, value.byteOffset, length);
}

/** What `Uint8Array` and the others extend. */
const TypedArray = Object.getPrototypeOf(Uint8Array) as { prototype: object };
