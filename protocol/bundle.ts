import { gunzipSync, gzipSync } from 'node:zlib';
import * as v from 'valibot';

import { decode, encode } from './codec.ts';
import { DecodeError, UsageError } from './errors.ts';
import { MAX_UNPACKED_BYTES } from './limits.ts';
import { moduleName, revision } from './schemas.ts';
import { revisionOf, shortRevision } from './revision.ts';

const labelSchema = v.object({
  module: moduleName,
  revision,
  /** The source file as the user knows it, for logs and stacks: `modules/demo.ts`. */
  file: v.string(),
  /** Names that other modules and `call` can reach. */
  exports: v.array(v.string()),
  /** What the code cache was made for; null where there is none. */
  runtime: v.nullable(v.string()),
  /** How many bytes are code; what follows it is the cache. */
  codeBytes: v.pipe(v.number(), v.integer(), v.minValue(0)),
});

/** One compiled revision of one module: the record that is written once under its revision. */
export interface Bundle extends Omit<v.InferOutput<typeof labelSchema>, 'runtime' | 'codeBytes'> {
  /** CommonJS, self-contained but for Node's built-ins. */
  readonly code: string;
  /** The source map of `code`, see {@link packMap}. */
  readonly map: Uint8Array;
  /** What V8 made of the code where it was compiled, to save the nodes the work; whoever can't use it compiles. */
  readonly cache?: { readonly runtime: string; readonly data: Uint8Array };
}

/** The level at which gzip is fast; higher ones save little. */
const PACKING = { level: 4 } as const;
const UNPACKING = { maxOutputLength: MAX_UNPACKED_BYTES } as const;
const LENGTH_BYTES = 4;

/** A source map as it travels and is kept, gzip over its JSON text: most are never read. */
export function packMap(json: string): Uint8Array {
  return gzipSync(json, PACKING);
}

/** The JSON text of a packed source map. @throws Error when it is none, or too large */
export function unpackMap(map: Uint8Array): string {
  return gunzipSync(map, UNPACKING).toString();
}

/**
 * Packs a bundle for the wire.
 *
 * Layout: the map's length (4 bytes, big-endian), the map, and the rest under gzip: the label's length (4 bytes), the label
 * (JSON), the code (UTF-8), the code cache. So a node unpacks once, parses little, and does not touch the map.
 *
 * @throws UsageError when it is larger than {@link MAX_UNPACKED_BYTES} before that.
 */
export function encodeBundle({ code, map, cache, ...named }: Bundle): Uint8Array {
  const text = Buffer.from(code);
  const label = encode({ ...named, runtime: cache?.runtime ?? null, codeBytes: text.length });
  const content = Buffer.concat([lengthOf(label), label, text, cache?.data ?? Buffer.alloc(0)]);
  if (content.length > MAX_UNPACKED_BYTES) {
    throw new UsageError(
      `${named.module} has ${content.length} bytes, the limit is ${MAX_UNPACKED_BYTES}: import less`,
    );
  }
  return Buffer.concat([lengthOf(map), map, gzipSync(content, PACKING)]);
}

/**
 * Unpacks a bundle and checks that the code is the revision that it says it is.
 *
 * @throws DecodeError when the bytes are no bundle, unpack to more than {@link MAX_UNPACKED_BYTES}, or the
 *   revision is not that of the code.
 */
export function decodeBundle(bytes: Uint8Array): Bundle {
  const [map, packed] = cut(bytes);
  const [labelled, content] = cut(unpack(packed));
  const { runtime, codeBytes, ...label } = decode(labelSchema, labelled);
  const code = content.subarray(0, codeBytes);
  const actual = revisionOf(code);
  if (actual !== label.revision) {
    throw new DecodeError(`the code is revision ${shortRevision(actual)}, not ${shortRevision(label.revision)}`);
  }
  const cache = runtime === null ? {} : { cache: { runtime, data: content.subarray(codeBytes) } };
  // What is kept holds no more than itself in memory.
  return { ...label, code: code.toString(), map: Buffer.from(map), ...cache };
}

function unpack(packed: Uint8Array): Buffer {
  try {
    return gunzipSync(packed, UNPACKING);
  } catch (cause) {
    throw new DecodeError(`the bundle does not unpack within ${MAX_UNPACKED_BYTES} bytes`, { cause });
  }
}

function lengthOf(part: Uint8Array): Uint8Array {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(part.length);
  return length;
}

/** Two parts, of which the first has its length before it. */
function cut(bytes: Uint8Array): [Buffer, Buffer] {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = all.length < LENGTH_BYTES ? Infinity : LENGTH_BYTES + all.readUInt32BE(0);
  if (end > all.length) throw new DecodeError('the bundle does not unpack: a part of it is cut off');
  return [all.subarray(LENGTH_BYTES, end), all.subarray(end)];
}
