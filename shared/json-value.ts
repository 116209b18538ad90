/** The JSON text of a value, or what in it JSON can't represent. */
export type JsonResult = { ok: true; json: string | undefined } | { ok: false; detail: string };

/**
 * Writes a value as JSON. Refuses values that `JSON.stringify` would silently change: functions, symbols, bigints, NaN and
 * infinities, cycles, and objects that are more than their properties (maps, errors, promises, typed arrays, …). For
 * `undefined` itself, `json` is undefined; a property that is undefined is left out, as `JSON.stringify` does; an object with
 * `toJSON` is not checked.
 *
 * @param maxBytes the limit of the JSON text. A value that is far larger is refused before it is written.
 * @param where the name of the value in a refusal.
 */
export function toJson(value: unknown, maxBytes = Infinity, where = 'the value'): JsonResult {
  if (value === undefined) return { ok: true, json: undefined };
  const walk: Walk = { ancestors: new Set(), bytesLeft: maxBytes };
  const misfit = findMisfit(value, where, walk);
  if (walk.bytesLeft < 0) return tooLarge(maxBytes);
  if (misfit !== null) return { ok: false, detail: `${misfit}, which JSON can't carry` };
  // A toJSON() can return undefined.
  const json = JSON.stringify(value) as string | undefined;
  return json !== undefined && Buffer.byteLength(json) > maxBytes ? tooLarge(maxBytes) : { ok: true, json };
}

/** The refusal of a value that is larger than `maxBytes` of JSON. */
export function tooLarge(maxBytes: number): JsonResult {
  return { ok: false, detail: `the value is larger than ${maxBytes} bytes of JSON` };
}

/** The state of a walk through a value: the objects above the current one, and the bytes of JSON that are left. */
interface Walk {
  readonly ancestors: Set<object>;
  bytesLeft: number;
}

function findMisfit(value: unknown, where: string, walk: Walk): string | null {
  walk.bytesLeft -= 1;
  if (walk.bytesLeft < 0) return where;
  if (typeof value === 'object') return value === null ? null : findMisfitWithin(value, where, walk);
  if (typeof value === 'number') return Number.isFinite(value) ? null : `${where} is ${value}`;
  if (typeof value !== 'string') return typeof value === 'boolean' ? null : `${where} is of type ${typeof value}`;
  walk.bytesLeft -= value.length;
  return null;
}

function findMisfitWithin(value: object, where: string, walk: Walk): string | null {
  if ('toJSON' in value && typeof value.toJSON === 'function') return null;
  const kind = Object.prototype.toString.call(value).slice('[object '.length, -1);
  if (kind !== 'Object' && kind !== 'Array') return `${where} is of type ${kind}`;
  if (walk.ancestors.has(value)) return `${where} contains itself`;
  walk.ancestors.add(value);
  for (const [path, item] of itemsOf(value)) {
    const misfit = findMisfit(item, `${where}${path}`, walk);
    if (misfit !== null) return misfit;
  }
  walk.ancestors.delete(value);
  return null;
}

function* itemsOf(value: object): Generator<[path: string, item: unknown]> {
  if (Array.isArray(value)) {
    // Unlike forEach(), entries() visits holes.
    for (const [index, item] of value.entries()) yield [`[${index}]`, item];
    return;
  }
  for (const [key, item] of Object.entries(value)) if (item !== undefined) yield [`.${key}`, item];
}
