import { inspect, types } from 'node:util';

import type { ErrorDescription } from '../error-description.ts';

/**
 * The key that marks a value which JSON does not have: `{ "$type": "bigint", "value": "10" }`. Other JSON stands for
 * itself. docs/modules.md lists the types.
 */
export const TYPE = '$type';

/** The JSON text of a value, absent for `undefined`; or why there is none. */
export type EncodedValue = { ok: true; json: string | undefined } | { ok: false; detail: string };

/** How values are described that are neither data nor made of data. */
export interface Printers {
  readonly describeError: (error: Error) => ErrorDescription;
  /** Prints a value as `util.inspect` does. */
  readonly print: (value: unknown) => string;
}

/** A walk through a value: the objects above the current one, outermost first, and the bytes of JSON that are left. */
interface Walk extends Printers {
  readonly above: object[];
  bytesLeft: number;
}

/** Ends the walk through a value that is too large. */
class TooLarge extends Error {}

const PLAIN: Printers = {
  describeError: ({ name, message, stack }) => ({ type: name, message, stack }),
  print: value => inspect(value),
};

/** Encodes a value as JSON. A value that is far larger than `maxBytes` is refused before it is written. */
export function encodeValue(value: unknown, maxBytes = Infinity, printers: Printers = PLAIN): EncodedValue {
  if (value === undefined) return { ok: true, json: undefined };
  try {
    const json = JSON.stringify(toJson(value, { ...printers, above: [], bytesLeft: maxBytes }));
    return Buffer.byteLength(json) > maxBytes ? tooLarge(maxBytes) : { ok: true, json };
  } catch (error) {
    if (error instanceof TooLarge) return tooLarge(maxBytes);
    throw error;
  }
}

/** Encodes the arguments of a call as JSON values. */
export function encodeArguments(args: readonly unknown[]): unknown[] {
  return args.map(arg => toJson(arg, { ...PLAIN, above: [], bytesLeft: Infinity }));
}

/** The refusal of a value that is larger than `maxBytes` of JSON. */
export function tooLarge(maxBytes: number): EncodedValue {
  return { ok: false, detail: `the value is larger than ${maxBytes} bytes of JSON` };
}

function toJson(value: unknown, walk: Walk): unknown {
  spend(walk, 1);
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'string':
      spend(walk, value.length);
      return value;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : typed('number', { value: Object.is(value, -0) ? '-0' : String(value) });
    case 'bigint':
      return typed('bigint', { value: counted(String(value), walk) });
    case 'undefined':
      return typed('undefined', {});
    case 'object':
      return value === null ? null : objectToJson(value, walk);
    case 'function':
    case 'symbol':
      return printed(value, walk);
  }
}

function objectToJson(value: object, walk: Walk): unknown {
  const index = walk.above.lastIndexOf(value);
  if (index !== -1) return typed('circular', { up: walk.above.length - index });
  if (types.isDate(value)) return typed('Date', { value: Number.isNaN(value.getTime()) ? null : value.toISOString() });
  if (types.isNativeError(value) || value instanceof Error) {
    const description = walk.describeError(value);
    counted(JSON.stringify(description), walk);
    return typed('Error', { value: description, text: counted(walk.print(value), walk) });
  }
  const bytes = bytesOf(value);
  if (bytes !== null) {
    spend(walk, (bytes.data.length * 4) / 3);
    return typed(bytes.type, { base64: bytes.data.toString('base64') });
  }
  if (inspect.custom in value || ('toJSON' in value && typeof value.toJSON === 'function')) return printed(value, walk);
  walk.above.push(value);
  const json = contentToJson(value, walk);
  walk.above.pop();
  return json ?? printed(value, walk);
}

/** The content of an array, a map, a set or an object; null for an object that is more than its properties. */
function contentToJson(value: object, walk: Walk): unknown {
  const className = classOf(value);
  if (Array.isArray(value)) return className === 'Array' ? arrayToJson(value, walk) : null;
  if (className === 'Map' && types.isMap(value)) {
    return typed('Map', { value: Array.from(value, ([key, item]) => [toJson(key, walk), toJson(item, walk)]) });
  }
  if (className === 'Set' && types.isSet(value)) {
    return typed('Set', { value: Array.from(value, item => toJson(item, walk)) });
  }
  if (types.isRegExp(value)) return typed('RegExp', { source: counted(value.source, walk), flags: value.flags });
  if (Object.prototype.toString.call(value) !== '[object Object]' || types.isExternal(value)) return null;
  const entries = Object.entries(value).map(([key, item]) => [counted(key, walk), toJson(item, walk)] as const);
  const properties = Object.fromEntries(entries);
  if (className !== 'Object') return typed('Object', { class: className, value: properties });
  return Object.hasOwn(value, TYPE) ? typed('Object', { value: properties }) : properties;
}

function arrayToJson(value: readonly unknown[], walk: Walk): unknown[] {
  const items: unknown[] = [];
  // Unlike map(), the loop visits holes, and it stops in a long array at the limit.
  for (let index = 0; index < value.length; index += 1) {
    if (index in value) items.push(toJson(value[index], walk));
    else {
      spend(walk, 16);
      items.push(typed('hole', {}));
    }
  }
  return items;
}

/** The bytes of an `ArrayBuffer` or of a view of one, with its type. */
function bytesOf(value: object): { readonly type: string; readonly data: Buffer } | null {
  if (types.isArrayBuffer(value)) return { type: 'ArrayBuffer', data: Buffer.from(value) };
  if (!types.isTypedArray(value)) return null;
  const type = Buffer.isBuffer(value) ? 'Buffer' : value[Symbol.toStringTag];
  return { type, data: Buffer.from(value.buffer, value.byteOffset, value.byteLength) };
}

/** A value that is not data: its text, and the value of its toJSON(). */
function printed(value: unknown, walk: Walk): unknown {
  const text = counted(walk.print(value), walk);
  const hasJson = typeof value === 'object' && value !== null && 'toJSON' in value;
  const json = hasJson ? (JSON.stringify(value) as string | undefined) : undefined;
  return typed('printed', {
    text,
    ...(json === undefined ? {} : { json: JSON.parse(counted(json, walk)) as unknown }),
  });
}

/** The name of a value's class, as `util.inspect` finds it; null without one. */
function classOf(value: object): string | null {
  for (let at: object | null = value; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const found: unknown = Object.getOwnPropertyDescriptor(at, 'constructor')?.value;
    if (typeof found === 'function' && found.name !== '' && isInstance(value, found)) return found.name;
  }
  return null;
}

function isInstance(value: object, constructor: unknown): boolean {
  try {
    return typeof constructor === 'function' && value instanceof constructor;
  } catch {
    return false;
  }
}

function typed(type: string, fields: object): object {
  return { [TYPE]: type, ...fields };
}

function counted(text: string, walk: Walk): string {
  spend(walk, text.length);
  return text;
}

function spend(walk: Walk, bytes: number): void {
  walk.bytesLeft -= bytes;
  if (walk.bytesLeft < 0) throw new TooLarge();
}
