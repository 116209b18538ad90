/**
 * A value as `hotcast call` reads it: `{ "a": 10n, "at": new Date("…") }`.
 *
 * @throws TypeError for a value that is no data.
 */
export function literal(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (value === undefined || value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return list(value);
  if (value instanceof Date) return `new Date(${JSON.stringify(value.toISOString())})`;
  if (value instanceof Map || value instanceof Set) return `new ${value.constructor.name}(${list([...value])})`;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const array = value as unknown as Iterable<number | bigint>;
    return `new ${Buffer.isBuffer(value) ? 'Uint8Array' : value.constructor.name}(${list([...array])})`;
  }
  if (typeof value === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(value) as null)) {
    const entries = Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${literal(each)}`);
    return `{ ${entries.join(', ')} }`;
  }
  throw new TypeError(
    `an argument of a call is data: not ${typeof value === 'object' ? value.constructor.name : typeof value}`,
  );
}

function list(values: readonly unknown[]): string {
  return `[${values.map(literal).join(', ')}]`;
}
