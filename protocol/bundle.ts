import { gunzipSync, gzipSync } from 'node:zlib';
import * as v from 'valibot';

import { decodeRecord, encodeRecord } from './codec.ts';
import { DecodeError, UsageError } from './errors.ts';
import { firstFrame, joinFrames } from './bytes/framing.ts';
import { gunzip } from './bytes/gunzip.ts';
import { MAX_UNPACKED_BYTES } from './limits.ts';
import { count, moduleName, revision } from './schemas.ts';
import { revisionOf, shortRevision } from './revision.ts';

const labelSchema = v.object({
  module: moduleName,
  revision,
  /** The hash of the source map, which the revision covers; bundles of before version 0.2 have none. */
  mapHash: v.exactOptional(v.string()),
  /** The hash of its package set, see `packages.ts`; a bundle that uses no packages has none. */
  packages: v.exactOptional(revision),
  /** The path of the source file, for logs and stacks: `modules/demo.ts`. */
  file: v.string(),
  /** The exported names. */
  exports: v.array(v.string()),
  /** The exported names whose values can change while the revision runs: a variable that is assigned, a `hot:` import. */
  live: v.optional(v.array(v.string()), []),
  /** How much live memory it takes to load, in bytes, as the preflight measured it; 0 when it is not known. */
  memoryBytes: v.optional(count, 0),
  /** The runtime that the code cache was made for; null without a cache. */
  runtime: v.nullable(v.string()),
  /** The length of the code in bytes. The cache follows it. */
  codeBytes: count,
});

/** One compiled revision of one module. It is written once, under its revision. */
export interface Bundle extends Omit<v.InferOutput<typeof labelSchema>, 'runtime' | 'codeBytes'> {
  /** CommonJS with everything bundled in, except Node.js's built-ins, packages and `hot:` imports. */
  readonly code: string;
  /** The source map of `code`, see {@link packMap}. */
  readonly map: Uint8Array;
  /** The code cache that V8 made in the controller. A node with another runtime compiles the code itself. */
  readonly cache?: { readonly runtime: string; readonly data: Uint8Array };
}

/** Level 4 is fast; higher levels save little. */
const GZIP_OPTIONS = { level: 4 } as const;
const GUNZIP_OPTIONS = { maxOutputLength: MAX_UNPACKED_BYTES } as const;

/** Packs the JSON text of a source map with gzip. Nodes keep it packed: most maps are never read. */
export function packMap(json: string): Uint8Array {
  return gzipSync(json, GZIP_OPTIONS);
}

/** Unpacks a source map to its JSON text. @throws Error when it is no gzip, or too large */
export function unpackMap(map: Uint8Array): string {
  return gunzipSync(map, GUNZIP_OPTIONS).toString();
}

/**
 * Packs a bundle for the wire.
 *
 * Layout: the map as a frame ({@link joinFrames}), and the rest under gzip: the label (JSON) as a frame, the code (UTF-8),
 * the code cache. So a node unpacks once, parses only the label, and does not read the map. The label has the format of all that follows
 * it; what is before it stays as it is.
 *
 * @throws UsageError when it is larger than {@link MAX_UNPACKED_BYTES} before gzip.
 */
export function encodeBundle({ code, map, cache, ...named }: Bundle): Uint8Array {
  const text = Buffer.from(code);
  const label = encodeRecord({ ...named, runtime: cache?.runtime ?? null, codeBytes: text.length });
  const content = Buffer.concat([joinFrames([label]), text, cache?.data ?? Buffer.alloc(0)]);
  if (content.length > MAX_UNPACKED_BYTES) {
    throw new UsageError(
      `${named.module} has ${content.length} bytes, the limit is ${MAX_UNPACKED_BYTES}: import less`,
    );
  }
  return Buffer.concat([joinFrames([map]), gzipSync(content, GZIP_OPTIONS)]);
}

/**
 * Unpacks a bundle, and checks that its code has its revision. The map, which few errors need, stays packed and is not checked.
 *
 * @throws FormatError, and DecodeError when the bytes are no bundle, are larger than {@link MAX_UNPACKED_BYTES} unpacked, or the
 *   code has another revision.
 */
export function decodeBundle(bytes: Uint8Array): Bundle {
  const [map, packed] = split(bytes);
  const [labelled, content] = split(unpack(packed));
  const { runtime, codeBytes, ...label } = decodeRecord(labelSchema, labelled);
  const code = content.subarray(0, codeBytes);
  const actual = revisionOf(code, label.mapHash, label.packages);
  if (actual !== label.revision) {
    throw new DecodeError(`the bundle is revision ${shortRevision(actual)}, not ${shortRevision(label.revision)}`);
  }
  const cache = runtime === null ? {} : { cache: { runtime, data: content.subarray(codeBytes) } };
  // A copy of the map, so that it does not keep the whole message in memory.
  return { ...label, code: code.toString(), map: Buffer.from(map), ...cache };
}

function unpack(packed: Buffer): Buffer {
  try {
    return gunzip(packed, MAX_UNPACKED_BYTES);
  } catch (cause) {
    throw new DecodeError(`the bundle does not unpack within ${MAX_UNPACKED_BYTES} bytes`, { cause });
  }
}

/** See {@link firstFrame}. @throws DecodeError when the frame is not whole */
function split(bytes: Uint8Array): [Buffer, Buffer] {
  const parts = firstFrame(bytes);
  if (parts === null) throw new DecodeError('the bundle does not unpack: a part of it is cut off');
  return parts;
}
