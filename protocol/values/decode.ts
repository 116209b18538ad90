import { inspect } from 'node:util';

import * as v from 'valibot';

import { errorDescription } from '../error-description.ts';
import { DecodeError } from '../errors.ts';
import { TYPE } from './encode.ts';
import { BIGINT_ARRAYS, NUMBER_ARRAYS } from './typed-arrays.ts';

/** A value of which only its text has travelled. `util.inspect` prints that text. */
export class Printed {
  readonly #text: string;

  constructor(printed: string) {
    this.#text = printed;
  }

  [inspect.custom](): string {
    return this.#text;
  }
}

/** Decodes the JSON text of a value; absent for `undefined`. @throws DecodeError */
export function decodeValue(json: string | undefined): unknown {
  if (json === undefined) return undefined;
  return guarded(() => revive(JSON.parse(json), []));
}

/** Decodes the arguments of a call. @throws DecodeError */
export function decodeArguments(args: readonly unknown[]): unknown[] {
  return guarded(() => args.map(arg => revive(arg, [])));
}

/** Whether a text is the JSON of a value. */
export function isEncodedValue(json: string): boolean {
  try {
    decodeValue(json);
    return true;
  } catch {
    return false;
  }
}

function guarded<T>(decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    if (cause instanceof DecodeError) throw cause;
    // Not JSON, or nested too deep.
    throw new DecodeError('a value can not be decoded', { cause });
  }
}

/** @param above the objects above the value, outermost first. */
function revive(json: unknown, above: object[]): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return filled([], above, target => fillList(target, json, above));
  if (!Object.hasOwn(json, TYPE)) return filled({}, above, target => fillObject(target, json, above));
  const fields = json as Record<string, unknown>;
  const type = fields[TYPE];
  const reviver = typeof type === 'string' && Object.hasOwn(revivers, type) ? revivers[type] : undefined;
  if (reviver === undefined) throw new DecodeError(`a value has the unknown type ${inspect(type).slice(0, 100)}`);
  return reviver(fields, above);
}

/** Fills an object, whose content can refer to it. */
function filled<T extends object>(target: T, above: object[], fill: (target: T) => void): T {
  above.push(target);
  fill(target);
  above.pop();
  return target;
}

type Reviver = (fields: Record<string, unknown>, above: object[]) => unknown;

const NUMBERS: ReadonlyMap<unknown, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
  ['-0', -0],
]);

const revivers: Readonly<Record<string, Reviver>> = {
  undefined: () => undefined,
  number: ({ value }) => NUMBERS.get(value) ?? bad('number'),
  bigint: ({ value }) => BigInt(/^-?\d+$/.exec(text(value, 'bigint'))?.[0] ?? bad('bigint')),
  Date: ({ value }) => new Date(value === null ? Number.NaN : text(value, 'Date')),
  RegExp: ({ source, flags }) => new RegExp(text(source, 'RegExp'), text(flags, 'RegExp')),
  Map: ({ value }, above) =>
    filled(new Map(), above, map => {
      for (const [key, item] of list(value, 'Map').map(pair => list(pair, 'Map'))) {
        map.set(revive(key, above), revive(item, above));
      }
    }),
  Set: ({ value }, above) =>
    filled(new Set(), above, set => list(value, 'Set').forEach(item => set.add(revive(item, above)))),
  Object: ({ class: name = 'Object', value }, above) => {
    if (typeof value !== 'object' || value === null) return bad('Object');
    const target = name === 'Object' ? {} : instanceOf(name === null ? null : text(name, 'Object'));
    return filled(target, above, object => fillObject(object, value, above));
  },
  Error: fields => {
    const isDescription = v.is(errorDescription, fields['value']);
    return isDescription ? new Printed(text(fields['text'], 'Error')) : bad('Error');
  },
  circular: ({ up }, above) => above[above.length - Number(up)] ?? bad('circular'),
  printed: fields => new Printed(text(fields['text'], 'printed')),
  Buffer: ({ base64 }) => bytes(base64),
  ArrayBuffer: ({ base64 }) => bufferOf(base64),
  ...Object.fromEntries(
    [...NUMBER_ARRAYS, ...BIGINT_ARRAYS].map(
      View => [View.name, ({ base64 }) => new View(bufferOf(base64))] as [string, Reviver],
    ),
  ),
};

function fillList(target: unknown[], items: readonly unknown[], above: object[]): void {
  for (const item of items) {
    const isHole = typeof item === 'object' && item !== null && TYPE in item && item[TYPE] === 'hole';
    if (isHole) target.length += 1;
    else target.push(revive(item, above));
  }
}

function fillObject(target: object, json: object, above: object[]): void {
  for (const [key, item] of Object.entries(json)) {
    // Not an assignment: a key can be `__proto__`.
    const value = revive(item, above);
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  }
}

/** An object that is printed with the name of a class; null: without a prototype. */
function instanceOf(name: string | null): object {
  if (name === null) return Object.create(null) as object;
  const constructor = Object.defineProperty(function named() {}, 'name', { value: name });
  return Object.create(constructor.prototype as object) as object;
}

function bytes(base64: unknown): Buffer {
  return Buffer.from(text(base64, 'base64'), 'base64');
}

function bufferOf(base64: unknown): ArrayBuffer {
  return new Uint8Array(bytes(base64)).buffer;
}

function text(value: unknown, type: string): string {
  return typeof value === 'string' ? value : bad(type);
}

function list(value: unknown, type: string): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : bad(type);
}

function bad(type: string): never {
  throw new DecodeError(`a value of the type ${type} is malformed`);
}
