import { type Archive, decodePackageSet, type PackageInstance, type PackageSet } from '../../../protocol/packages.ts';
import type { PackageFolder } from './package-folder.ts';

/** How many packages are fetched at the same time. */
const MAX_PARALLEL = 6;

/** Reads packages from the cluster's stream. What they return is verified; null when the stream does not have it. */
export interface PackageSource {
  readonly packageSet: (hash: string) => Promise<Uint8Array | null>;
  readonly archive: (instance: PackageInstance) => Promise<Archive | null>;
}

/**
 * Brings a package set and its archives to disk, as far as they are not there.
 *
 * @returns null when the stream lacks the set or one of the packages.
 * @throws DecodeError, and errors of the file system and of the stream.
 */
export async function fetchPackages(
  hash: string,
  folder: PackageFolder,
  source: PackageSource,
): Promise<PackageSet | null> {
  const known = folder.readSet(hash);
  const bytes = known === null ? await source.packageSet(hash) : null;
  const set = known ?? (bytes === null ? null : decodePackageSet(bytes, hash));
  if (set === null) return null;
  // Instances with the same files and other dependencies need the files once.
  const byArchive = new Map(set.instances.map(instance => [instance.archive, instance]));
  const missing = [...byArchive.values()].filter(({ archive }) => !folder.hasArchive(archive));
  const isWhole = await allOf(missing.values(), async instance => {
    const archive = await source.archive(instance);
    if (archive !== null) await folder.writeArchive(instance.archive, archive);
    return archive !== null;
  });
  if (!isWhole) return null;
  if (bytes !== null) folder.writeSet(hash, bytes);
  return set;
}

/** Works on some items at the same time, and begins no other after one that is false or rejects. Resolves when none runs. */
async function allOf<T>(items: Iterator<T>, work: (item: T) => Promise<boolean>): Promise<boolean> {
  let isDone = true;
  const errors: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let next = items.next(); isDone && next.done !== true; next = items.next()) {
      const result = await work(next.value).catch((error: unknown) => errors.push(error));
      if (result !== true) isDone = false;
    }
  };
  await Promise.all(Array.from({ length: MAX_PARALLEL }, worker));
  if (errors.length > 0) throw errors[0];
  return isDone;
}
