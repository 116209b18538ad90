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
 * Rejects a module with so much code of its own that to build it takes long and much memory. It is called before most of that is done.
 *
 * @param limit in bytes.
 * @throws UsageError
 */
export function refuseMuchCode(module: string, code: string, limit: number): void {
  if (code.length <= limit) return;
  throw new UsageError(
    `${module} has ${megabytes(code.length)} of code without its packages, the limit is ${megabytes(limit)} ` +
      '(MODULE_MAX_MB): import less, make a package of what seldom changes, or load data at run time; nothing was sent',
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
