import { gunzipSync, gzipSync } from 'node:zlib';
import * as v from 'valibot';

import { decode, encode } from './codec.ts';
import { DecodeError, UsageError } from './errors.ts';
import { MAX_UNPACKED_BYTES } from './limits.ts';
import { moduleName, revision } from './fields.ts';
import { revisionOf, shortRevision } from './revision.ts';

const bundleSchema = v.object({
  module: moduleName,
  revision,
  /** The source file as the user knows it, for logs and stacks: `modules/demo.ts`. */
  file: v.string(),
  /** Names that other modules and `call` can reach. */
  exports: v.array(v.string()),
  /** CommonJS, self-contained but for Node's built-ins. */
  code: v.string(),
  /** The source map of `code`, as JSON text. */
  map: v.string(),
  /** What V8 made of the code where it was compiled, to save the nodes the work; whoever can't use it compiles. */
  cache: v.optional(v.object({ runtime: v.string(), base64: v.string() })),
});

/** One compiled revision of one module: the record that is written once under its revision. */
export type Bundle = v.InferOutput<typeof bundleSchema>;

/**
 * Packs a bundle for the wire: gzip over JSON.
 *
 * @throws UsageError when it is larger than {@link MAX_UNPACKED_BYTES} before that.
 */
export function encodeBundle(bundle: Bundle): Uint8Array {
  const json = encode(bundle);
  if (json.length > MAX_UNPACKED_BYTES) {
    throw new UsageError(`${bundle.module} has ${json.length} bytes, the limit is ${MAX_UNPACKED_BYTES}: import less`);
  }
  return gzipSync(json, { level: 4 });
}

/**
 * Unpacks a bundle and checks that the code is the revision that it says it is.
 *
 * @throws DecodeError when the bytes are no bundle, unpack to more than {@link MAX_UNPACKED_BYTES}, or the
 *   revision is not that of the code.
 */
export function decodeBundle(bytes: Uint8Array): Bundle {
  let json: Uint8Array;
  try {
    json = gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED_BYTES });
  } catch (cause) {
    throw new DecodeError(`the bundle does not unpack within ${MAX_UNPACKED_BYTES} bytes`, { cause });
  }
  const bundle = decode(bundleSchema, json);
  const actual = revisionOf(bundle.code);
  if (actual !== bundle.revision) {
    throw new DecodeError(`the code is revision ${shortRevision(actual)}, not ${shortRevision(bundle.revision)}`);
  }
  return bundle;
}
