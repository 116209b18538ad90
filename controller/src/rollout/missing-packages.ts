import type { Head } from '../../../protocol/head.ts';
import type { BuiltBundle } from '../build/build.ts';
import type { MissingPackages } from '../store/packages.ts';
import type { StreamStore } from '../store/stream-store.ts';

/**
 * What the stream lacks of the packages of bundles. It is written before the bundles.
 *
 * @param heads heads that the stream keeps. It has the packages that they name.
 */
export async function missingPackages(
  store: Pick<StreamStore, 'missingPackages'>,
  bundles: readonly Pick<BuiltBundle, 'packages'>[],
  heads: readonly Head[],
): Promise<MissingPackages> {
  const used = bundles.flatMap(({ packages }) => packages ?? []);
  const manifests = heads.flatMap(({ manifest, canary }) => [manifest, canary?.manifest]);
  const kept = manifests.flatMap(manifest => manifest?.packages?.hash ?? []);
  return store.missingPackages(used, new Set(kept));
}
