/** A value on its way into a message: its JSON text, or what in it JSON can't carry. */
export type JsonResult = { ok: true; json: string | undefined } | { ok: false; detail: string };

/**
 * Writes a value as JSON, and refuses what `JSON.stringify` would silently change: functions, symbols, bigints,
 * NaN and infinities, cycles, and objects that are more than their properties (maps, errors, promises, typed arrays,
 * …). `undefined` alone is no value (`json` is undefined); a property that is undefined is left out, as JSON does;
 * anything with `toJSON` says itself what it is.
 */
export function toJson(value: unknown): JsonResult {
  if (value === undefined) return { ok: true, json: undefined };
  const misfit = findMisfit(value, 'the value', new Set());
  if (misfit !== null) return { ok: false, detail: misfit };
  return { ok: true, json: JSON.stringify(value) };
}

function findMisfit(value: unknown, where: string, above: Set<object>): string | null {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return null;
    case 'number':
      return Number.isFinite(value) ? null : `${where} is ${value}`;
    case 'bigint':
    case 'symbol':
    case 'function':
    case 'undefined':
      return `${where} is of type ${typeof value}`;
    case 'object':
      return value === null ? null : findMisfitWithin(value, where, above);
    default:
      throw new TypeError(`unheard-of type ${typeof value}`);
  }
}

function findMisfitWithin(value: object, where: string, above: Set<object>): string | null {
  if ('toJSON' in value && typeof value.toJSON === 'function') return null;
  const kind = Object.prototype.toString.call(value).slice('[object '.length, -1);
  if (kind !== 'Object' && kind !== 'Array') return `${where} is of type ${kind}`;
  if (above.has(value)) return `${where} contains itself`;
  above.add(value);
  const entries = Array.isArray(value)
    ? Array.from(value, (item: unknown, index) => [`${where}[${index}]`, item] as const) // Sees holes, unlike map().
    : Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([key, item]) => [`${where}.${key}`, item as unknown] as const);
  for (const [path, item] of entries) {
    const misfit = findMisfit(item, path, above);
    if (misfit !== null) return misfit;
  }
  above.delete(value);
  return null;
}
