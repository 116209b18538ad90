import { type Bundle, encodeBundle } from '../../../protocol/bundle.ts';
import { UsageError } from '../../../protocol/errors.ts';
import { HEADER_BYTES, MAX_BUNDLE_BYTES } from '../../../protocol/limits.ts';

/**
 * Encodes a bundle for the wire. A code cache that would make it too large is left out.
 *
 * @param maxPayload the largest message that NATS takes, in bytes.
 * @throws UsageError when it is too large without the cache.
 */
export function pack(bundle: Bundle, maxPayload: number): Uint8Array {
  const packed = encodeBundle(bundle);
  const limit = Math.min(MAX_BUNDLE_BYTES, maxPayload - HEADER_BYTES);
  if (packed.length <= limit) return packed;
  const { cache, ...bare } = bundle;
  if (cache !== undefined) return pack(bare, maxPayload);
  throw new UsageError(
    `${bundle.module} is ${megabytes(packed.length)} packed, the limit is ${megabytes(limit)}: ` +
      'import less, or load data at run time',
  );
}

/**
 * Rejects a bundle that is too large before anything else is done with it. Small bundles are not packed for that.
 *
 * @throws UsageError
 */
export function refuseTooLarge(bundle: Bundle, maxPayload: number): void {
  const isSmall = bundle.code.length + bundle.map.length < Math.min(MAX_BUNDLE_BYTES, maxPayload - HEADER_BYTES) / 4;
  if (!isSmall) pack(bundle, maxPayload);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
