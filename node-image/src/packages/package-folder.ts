import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';

import {
  type Archive,
  decodePackageSet,
  type PackageInstance,
  type PackageSet,
  packageSetHashOf,
} from '../../../protocol/packages.ts';
import { ArchiveFile } from './archive-file.ts';
import type { Instance, InstanceFiles } from './instance.ts';

/** How long files are written in one turn of the event loop (milliseconds). */
const MAX_TURN_MS = 10;

/**
 * The packages of this node on disk.
 *
 *     <folder>/archives/<hash>                            the files of a package
 *     <folder>/sets/<hash>                                the packages of a revision
 *     <folder>/node_modules                               a link to the external packages, which all packages find
 *
 * Packages that can tell where their files are have them there too, as pnpm lays them out, and so have all that they reach. So
 * `__dirname`, the files beside the code, worker threads and Node's own resolution find what they would find in an installed
 * project.
 *
 *     <folder>/instances/<id>/node_modules/<name>/…       the files
 *     <folder>/instances/<id>/node_modules/<dependency>   a link to the instance that it finds
 *
 * It outlives a restart of the container. Everything was verified before it was written, and appears as a whole, by a rename:
 * what is there after a restart can be used. Nobody but this node writes to the folder.
 */
export class PackageFolder {
  readonly #folder: string;
  #temporary = 0;
  /** The ids of instances whose files are known to lie in their folders. */
  readonly #placed = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Whether this node has ever had packages. */
  exists(): boolean {
    return existsSync(this.#in('archives'));
  }

  /**
   * Removes what a process has left unfinished.
   *
   * @param external the `node_modules` of external packages.
   * @throws Error of the file system
   */
  async open(external: string): Promise<void> {
    // What another release has written is of no use.
    const removed = this.exists() ? ['temporary'] : ['temporary', 'instances', 'sets'];
    for (const name of removed) await rm(this.#in(name), { recursive: true, force: true });
    for (const name of ['temporary', 'archives', 'instances', 'sets']) mkdirSync(this.#in(name), { recursive: true });
    await rm(this.#in('node_modules'), { force: true });
    symlinkSync(external, this.#in('node_modules'));
  }

  hasArchive(hash: string): boolean {
    return ArchiveFile.isWhole(this.#in('archives', hash));
  }

  /** @throws Error of the file system */
  async writeArchive(hash: string, archive: Archive): Promise<void> {
    const file = this.#newPath();
    await ArchiveFile.write(file, archive);
    renameSync(file, this.#in('archives', hash));
  }

  /** An instance whose archive is on disk; null when it is not. */
  instance({ id, name, version, archive: hash }: PackageInstance): InstanceFiles | null {
    const archive = ArchiveFile.open(this.#in('archives', hash), hash);
    return archive === null ? null : { id, name, version, folder: this.#packageFolder({ id, name }), archive };
  }

  /** The package set of a hash that is on disk; null when it is not, or not all of it. */
  readSet(hash: string): PackageSet | null {
    const bytes = readOrNull(this.#in('sets', hash));
    return bytes === null || packageSetHashOf(bytes) !== hash ? null : decodePackageSet(bytes, hash);
  }

  /** @throws Error of the file system */
  writeSet(hash: string, bytes: Uint8Array): void {
    const file = this.#newPath();
    writeFileSync(file, bytes);
    renameSync(file, this.#in('sets', hash));
  }

  /** Has the files of instances, and of all that they reach, lie in their folders. @throws Error of the file system */
  async place(instances: Iterable<Instance>): Promise<void> {
    let turnStartedAt = performance.now();
    for (const _ of this.#placing(instances)) {
      if (performance.now() - turnStartedAt < MAX_TURN_MS) continue;
      await turn();
      turnStartedAt = performance.now();
    }
  }

  /** As {@link place}, in this turn of the event loop: code is about to get the path of a file. @throws Error of the file system */
  placeNow(instance: Instance): void {
    for (const _ of this.#placing([instance]));
  }

  /** Removes all instances and sets but these. */
  async keepOnly(instances: ReadonlyMap<string, Instance>, sets: ReadonlySet<string>): Promise<void> {
    const archives = new Set([...instances.values()].map(({ archive }) => archive.hash));
    for (const [kind, kept] of [
      ['sets', sets],
      ['instances', instances],
      ['archives', archives],
    ] as const) {
      for (const name of readdirSync(this.#in(kind))) {
        if (kept.has(name)) continue;
        this.#placed.delete(name);
        // Half an instance must not look like a whole one after a restart.
        const removed = this.#newPath();
        renameSync(this.#in(kind, name), removed);
        await rm(removed, { recursive: true, force: true });
      }
    }
  }

  /** The id of the instance, the folder in its `node_modules`, and the path there, of an absolute path; null outside of all. */
  locate(file: string): { readonly id: string; readonly name: string; readonly path: string } | null {
    const [id = '', modules, ...parts] = relative(this.#in('instances'), file).split('/');
    if (modules !== 'node_modules' || id === '..') return null;
    const length = parts[0]?.startsWith('@') === true ? 2 : 1;
    return { id, name: parts.slice(0, length).join('/'), path: parts.slice(length).join('/') };
  }

  #packageFolder({ id, name }: Pick<PackageInstance, 'id' | 'name'>): string {
    return this.#in('instances', id, 'node_modules', name);
  }

  /** Writes what is missing, and yields after each file. */
  *#placing(instances: Iterable<Instance>): Generator<void> {
    const reached = new Set(instances);
    // The iteration of a set includes the elements that are added during it.
    for (const instance of reached) {
      for (const dependency of instance.dependencies.values()) reached.add(dependency);
      const { id, name, archive, dependencies } = instance;
      const folder = this.#in('instances', id);
      if (this.#placed.has(id) || existsSync(folder)) {
        this.#placed.add(id);
        continue;
      }
      const made = this.#newPath();
      const own = join(made, 'node_modules', name);
      const parents = new Set<string>();
      for (const [path, bytes] of archive.contents()) {
        const file = join(own, path);
        const parent = dirname(file);
        if (!parents.has(parent)) mkdirSync(parent, { recursive: true });
        parents.add(parent);
        writeFileSync(file, bytes);
        yield;
      }
      for (const [dependency, target] of dependencies) {
        // A package can find itself by its own name.
        if (dependency !== name) link(made, folder, dependency, this.#packageFolder(target));
      }
      // Code that wanted a path can have been faster.
      if (!existsSync(folder)) renameSync(made, folder);
      this.#placed.add(id);
    }
  }

  #newPath(): string {
    return this.#in('temporary', String((this.#temporary += 1)));
  }

  #in(...path: string[]): string {
    return join(this.#folder, ...path);
  }
}

/** The instance of an index, which {@link decodePackageSet} has checked. */
export function instanceAt(set: PackageSet, index: number): PackageInstance {
  const instance = set.instances[index];
  if (instance === undefined) throw new RangeError(`the package set has no instance ${index}`);
  return instance;
}

/** Links `node_modules/<name>` in a folder, which moves to `from`, to the folder of a package. */
function link(folder: string, from: string, name: string, target: string): void {
  const path = join('node_modules', name);
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  symlinkSync(relative(dirname(join(from, path)), target), join(folder, path));
}

function readOrNull(file: string): Buffer | null {
  try {
    return readFileSync(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
