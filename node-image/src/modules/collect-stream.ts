import { MAX_VALUE_BYTES } from '../../../protocol/limits.ts';
import { type EncodedValue, encodeValue, type Printers, tooLarge } from '../../../protocol/values/encode.ts';

/** Whether a value is a stream of items: an async generator or iterator, a ReadableStream, a stream of Node. */
export function isStream(value: unknown): value is AsyncIterable<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Symbol.asyncIterator in value &&
    typeof value[Symbol.asyncIterator] === 'function'
  );
}

/**
 * Collects the items of a stream as a JSON array. It stops when the items exceed {@link MAX_VALUE_BYTES}, and when the
 * version has ended. The iterator is then returned and the stream cancelled.
 */
export async function collectStream(
  stream: AsyncIterable<unknown>,
  ended: AbortSignal,
  printers: Printers,
): Promise<EncodedValue> {
  const items: string[] = [];
  let bytes = 2;
  for await (const item of stream) {
    if (ended.aborted) break;
    // In an array, so that undefined is encoded too.
    const result = encodeValue([item], MAX_VALUE_BYTES, printers);
    if (!result.ok) return result;
    const json = result.json?.slice(1, -1) ?? '';
    bytes += Buffer.byteLength(json) + 1;
    items.push(json);
    if (bytes > MAX_VALUE_BYTES) return tooLarge(MAX_VALUE_BYTES);
  }
  return { ok: true, json: `[${items.join(',')}]` };
}
