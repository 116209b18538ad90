/** A value on its way into a message: its JSON text, or what in it JSON can't carry. */
export type JsonResult = { ok: true; json: string | undefined } | { ok: false; detail: string };

/**
 * Writes a value as JSON, and refuses what `JSON.stringify` would silently change: functions, symbols, bigints,
 * NaN and infinities, cycles, and objects that are more than their properties (maps, errors, promises, typed arrays,
 * …). `undefined` alone is no value (`json` is undefined); a property that is undefined is left out, as JSON does;
 * anything with `toJSON` says itself what it is.
 *
 * @param maxBytes of JSON; what is far larger is refused before it is written.
 * @param where what the value is called in a refusal.
 */
export function toJson(value: unknown, maxBytes = Infinity, where = 'the value'): JsonResult {
  if (value === undefined) return { ok: true, json: undefined };
  const walk: Walk = { above: new Set(), room: maxBytes };
  const misfit = findMisfit(value, where, walk);
  if (walk.room < 0) return tooLarge(maxBytes);
  if (misfit !== null) return { ok: false, detail: `${misfit}, which JSON can't carry` };
  // A toJSON() may give undefined.
  const json = JSON.stringify(value) as string | undefined;
  return json !== undefined && Buffer.byteLength(json) > maxBytes ? tooLarge(maxBytes) : { ok: true, json };
}

/** The refusal of a value that is more than so many bytes of JSON. */
export function tooLarge(maxBytes: number): JsonResult {
  return { ok: false, detail: `the value is larger than ${maxBytes} bytes of JSON` };
}

/** On the way through a value: the objects that it is in, and how many more bytes of JSON there may be at most. */
interface Walk {
  readonly above: Set<object>;
  room: number;
}

function findMisfit(value: unknown, where: string, walk: Walk): string | null {
  walk.room -= 1;
  if (walk.room < 0) return where;
  switch (typeof value) {
    case 'string':
      walk.room -= value.length;
      return null;
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
      return value === null ? null : findMisfitWithin(value, where, walk);
    default:
      throw new TypeError(`unheard-of type ${typeof value}`);
  }
}

function findMisfitWithin(value: object, where: string, walk: Walk): string | null {
  if ('toJSON' in value && typeof value.toJSON === 'function') return null;
  const kind = Object.prototype.toString.call(value).slice('[object '.length, -1);
  if (kind !== 'Object' && kind !== 'Array') return `${where} is of type ${kind}`;
  if (walk.above.has(value)) return `${where} contains itself`;
  walk.above.add(value);
  for (const [path, item] of itemsOf(value)) {
    const misfit = findMisfit(item, `${where}${path}`, walk);
    if (misfit !== null) return misfit;
  }
  walk.above.delete(value);
  return null;
}

function* itemsOf(value: object): Generator<[path: string, item: unknown]> {
  if (Array.isArray(value)) {
    // Sees holes, unlike forEach().
    for (const [index, item] of value.entries()) yield [`[${index}]`, item];
    return;
  }
  for (const [key, item] of Object.entries(value)) if (item !== undefined) yield [`.${key}`, item];
}
