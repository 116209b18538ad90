import { ARCHIVE_CHUNK_BYTES } from '../../../protocol/limits.ts';
import { decodePackageSet, type PackageSet } from '../../../protocol/packages.ts';
import { lastToken, type Subjects } from '../../../protocol/subjects.ts';
import type { Keyring } from './keyring.ts';
import type { Stream } from './stream.ts';
import { createWriteOnce } from './write-once.ts';

/** An archive of a package, as it is stored: packed, in chunks. */
export interface StorableArchive {
  readonly hash: string;
  readonly packedBytes: number;
  readonly chunks: number;
  /** Its bytes, packed. They are made again if they were not kept. @throws UnavailableError when the package has changed */
  readonly packed: () => Promise<Uint8Array>;
  /** Drops the bytes: the stream has them, or nobody wants them any more. */
  readonly release: () => void;
}

/** A package set with its archives. */
export interface StorablePackages {
  /** The hash of the set, which the revision covers. */
  readonly hash: string;
  /** The encoded set. */
  readonly set: Uint8Array;
  readonly archives: readonly StorableArchive[];
}

/** What the stream lacks of some packages. */
export interface MissingPackages {
  readonly sets: readonly StorablePackages[];
  readonly archives: readonly StorableArchive[];
  /** How many bytes that is. */
  readonly bytes: number;
}

/** How many archives are written at once. */
const PARALLEL_ARCHIVES = 4;

/** How often archives are written that were removed meanwhile. */
const MAX_TRIES = 3;

/**
 * Package sets and archives in the stream, each written once. A set is written after its archives, so the archives of a set are
 * there.
 */
export function createPackages(stream: Stream, subjects: Subjects, keyring: Keyring) {
  const records = createWriteOnce(stream, keyring);
  /** Sets that were read: they do not change. */
  const known = new Map<string, PackageSet>();

  /** A package set; null when the stream has none that this cookie's controller has signed. */
  async function packageSet(hash: string): Promise<PackageSet | null> {
    const before = known.get(hash);
    if (before !== undefined) return before;
    const bytes = await records.read(subjects.packageSet(hash));
    if (bytes === null) return null;
    const set = decodePackageSet(bytes, hash);
    known.set(hash, set);
    return set;
  }

  /** The hashes of the package sets in the stream. */
  async function packageSets(): Promise<string[]> {
    return Object.keys(await stream.subjects(subjects.packageSets)).map(lastToken);
  }

  /** The archives in the stream, each with how many chunks of it there are. */
  async function archives(): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    for (const subject of Object.keys(await stream.subjects(subjects.archives))) {
      const [hash = ''] = subject.split('.').slice(-2);
      found.set(hash, (found.get(hash) ?? 0) + 1);
    }
    return found;
  }

  async function hasPackageSet(hash: string): Promise<boolean> {
    return Object.keys(await stream.subjects(subjects.packageSet(hash))).length > 0;
  }

  /**
   * What the stream lacks of packages.
   *
   * @param kept hashes of sets that the stream has for certain: a head that it keeps names them.
   */
  async function missingPackages(
    packages: readonly StorablePackages[],
    kept: ReadonlySet<string> = new Set(),
  ): Promise<MissingPackages> {
    const unknown = [...new Map(packages.map(each => [each.hash, each])).values()];
    const have = await Promise.all(unknown.map(async ({ hash }) => kept.has(hash) || hasPackageSet(hash)));
    const sets = unknown.filter((_, index) => have[index] === false);
    for (const each of unknown) if (!sets.includes(each)) for (const archive of each.archives) archive.release();
    const lacking = sets.length === 0 ? [] : await missingArchives(sets);
    const sizes = [...sets.map(({ set }) => set.length), ...lacking.map(({ packedBytes }) => packedBytes)];
    return { sets, archives: lacking, bytes: sizes.reduce((sum, size) => sum + size, 0) };
  }

  async function missingArchives(sets: readonly StorablePackages[]): Promise<StorableArchive[]> {
    const stored = await archives();
    const all = new Map(sets.flatMap(each => each.archives).map(archive => [archive.hash, archive]));
    return [...all.values()].filter(({ hash, chunks }) => (stored.get(hash) ?? 0) < chunks);
  }

  /** Writes what the stream lacks. */
  async function putPackages({ sets, archives: lacking }: MissingPackages): Promise<void> {
    await putArchives(lacking);
    for (const { hash, set } of sets) await records.write(subjects.packageSet(hash), set);
    if (sets.length === 0) return;
    // Archives that no set named before may be removed until their set is written.
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const removed = await missingArchives(sets);
      if (removed.length === 0) break;
      await putArchives(removed);
    }
    for (const { archives: stored } of sets) for (const archive of stored) archive.release();
  }

  async function putArchives(lacking: readonly StorableArchive[]): Promise<void> {
    const left = lacking.values();
    const worker = async (): Promise<void> => {
      for (const archive of left) await putArchive(archive);
    };
    await Promise.all(Array.from({ length: PARALLEL_ARCHIVES }, worker));
  }

  async function putArchive({ hash, chunks, packed }: StorableArchive): Promise<void> {
    const bytes = await packed();
    for (let chunk = 0; chunk < chunks; chunk += 1) {
      const start = chunk * ARCHIVE_CHUNK_BYTES;
      await records.write(subjects.archiveChunk(hash, chunk), bytes.subarray(start, start + ARCHIVE_CHUNK_BYTES));
    }
  }

  /** Removes a package set. @returns what writes it again */
  async function removePackageSet(hash: string): Promise<() => Promise<void>> {
    const subject = subjects.packageSet(hash);
    const bytes = await records.read(subject);
    known.delete(hash);
    await stream.purge(subject);
    return async () => {
      if (bytes !== null) await records.write(subject, bytes);
    };
  }

  /** Removes an archive. @returns what writes it again */
  async function removeArchive(hash: string): Promise<() => Promise<void>> {
    const chunks = Object.keys(await stream.subjects(subjects.archiveChunks(hash)));
    const contents = await Promise.all(chunks.map(async subject => [subject, await records.read(subject)] as const));
    await stream.purge(subjects.archiveChunks(hash));
    return async () => {
      for (const [subject, bytes] of contents) if (bytes !== null) await records.write(subject, bytes);
    };
  }

  /** Signs all package sets and archives with the present key. @returns how many records another key had signed */
  async function signPackagesAgain(): Promise<number> {
    let count = 0;
    for (const filter of [subjects.packageSets, subjects.archives]) {
      for (const subject of Object.keys(await stream.subjects(filter))) {
        if (await records.signAgain(subject)) count += 1;
      }
    }
    return count;
  }

  return {
    packageSet,
    packageSets,
    archives,
    missingPackages,
    putPackages,
    removePackageSet,
    removeArchive,
    signPackagesAgain,
  };
}
