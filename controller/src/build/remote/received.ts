import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';

import { type Bundle, decodeBundle, unpackMap } from '../../../../protocol/bundle.ts';
import { DecodeError } from '../../../../protocol/errors.ts';
import { ARCHIVE_CHUNK_BYTES, MAX_ARCHIVE_BYTES } from '../../../../protocol/limits.ts';
import { type Archive, decodeArchive, decodePackageSet, type PackageSet } from '../../../../protocol/packages.ts';
import { mapHashOf } from '../../../../protocol/revision.ts';
import type { StorableArchive } from '../../store/packages.ts';
import type { BuiltBundle } from '../build.ts';
import type { SentModule } from './wire.ts';

/** A module that an operator has sent, verified. `imports`: as its side has them. */
export interface ReceivedModule extends Pick<BuiltBundle, 'sources' | 'groups'> {
  readonly bundle: Bundle;
  readonly packages: ReceivedPackages | null;
}

export interface ReceivedPackages extends Pick<NonNullable<SentModule['packages']>, 'hash' | 'imports' | 'leftOut'> {
  readonly set: PackageSet;
  readonly bytes: Uint8Array;
}

/** Gives the packed archive of a package by its hash. */
type Fetch = (hash: string) => Promise<Uint8Array>;

/**
 * Verifies a module: its revision is that of its code, map and packages. What the operator measured or prepared for V8 does not count.
 *
 * @throws DecodeError when it is not the module that was asked for, or does not hold.
 */
export function receive(sent: SentModule, module: string): ReceivedModule {
  const { cache: _, ...bundle } = decodeBundle(sent.packed);
  if (bundle.module !== module) throw new DecodeError(`it built ${bundle.module}, not ${module}`);
  if (bundle.mapHash === undefined || mapHashOf(unpackMap(bundle.map)) !== bundle.mapHash) {
    throw new DecodeError(`the source map of ${module} is not that of its revision`);
  }
  if (bundle.packages !== sent.packages?.hash)
    throw new DecodeError(`the packages of ${module} are not those of its revision`);
  const { sources, groups } = sent;
  return { bundle: { ...bundle, memoryBytes: 0 }, sources, groups, packages: receivePackages(sent) };
}

function receivePackages({ packages, set: bytes }: SentModule): ReceivedPackages | null {
  if (packages === null || bytes === null) return null;
  const set = decodePackageSet(bytes, packages.hash);
  const ids = new Set(set.instances.map(({ id }) => id));
  if (packages.imports.some(({ instance }) => !ids.has(instance))) {
    throw new DecodeError('it imports a package that is not in its package set');
  }
  for (const { name, packedBytes, chunks } of set.instances) {
    const isWhole = chunks === Math.max(1, Math.ceil(packedBytes / ARCHIVE_CHUNK_BYTES));
    if (!isWhole || packedBytes > MAX_ARCHIVE_BYTES) throw new DecodeError(`the archive of ${name} has no such size`);
  }
  return { ...packages, set, bytes };
}

/**
 * The archives of a package set. Each is fetched when it is needed, and kept until it is released.
 *
 * @param known those of other modules. New ones are added.
 */
export function archivesOf(
  { instances }: PackageSet,
  fetch: Fetch,
  known: Map<string, StorableArchive>,
): StorableArchive[] {
  const all = new Map(instances.map(instance => [instance.archive, instance]));
  for (const [hash, instance] of all) if (!known.has(hash)) known.set(hash, archiveOf(instance, fetch));
  return [...all.keys()].flatMap(hash => known.get(hash) ?? []);
}

function archiveOf(
  { archive: hash, packedBytes, chunks }: PackageSet['instances'][number],
  fetch: Fetch,
): StorableArchive {
  let kept: Promise<Uint8Array> | null = null;
  const packed = async (): Promise<Uint8Array> => {
    const bytes = await fetch(hash);
    if (bytes.length !== packedBytes) throw new DecodeError('an archive has another size than its package set says');
    unpackArchive(hash, bytes);
    return bytes;
  };
  return { hash, packedBytes, chunks, packed: () => (kept ??= packed()), release: () => void (kept = null) };
}

/** @throws DecodeError when the archive does not have this hash */
export function unpackArchive(hash: string, packed: Uint8Array): Archive {
  let bytes: Buffer;
  try {
    bytes = gunzipSync(packed, { maxOutputLength: MAX_ARCHIVE_BYTES });
  } catch (cause) {
    throw new DecodeError('an archive does not unpack', { cause });
  }
  if (createHash('sha256').update(bytes).digest('hex') !== hash) throw new DecodeError('an archive has another hash');
  return decodeArchive(bytes);
}

/** What a package set says of packages, as the manifest of a head has it. */
export function manifestOf({ set: { roots, instances, externals = {} }, hash }: ReceivedPackages) {
  const own = Object.entries(roots).map(([root, index]) => [root, instances[index]?.version ?? ''] as const);
  const all = [...own, ...Object.entries(externals)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const sizes = new Map(instances.map(({ archive, packedBytes }) => [archive, packedBytes]));
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  return { hash, versions: Object.fromEntries(all), bytes };
}
