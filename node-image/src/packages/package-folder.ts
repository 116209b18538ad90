import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';

import { type Archive, decodePackageSet, type PackageInstance, type PackageSet } from '../../../protocol/packages.ts';
import type { InstanceFiles } from './instance.ts';

/** How long files are written in one turn of the event loop (milliseconds). */
const MAX_TURN_MS = 10;

/** What is written last into the folder of an instance or set, and says what is in it. */
const INSTANCE_FILE = 'instance.json';
const SET_FILE = 'set.json';

type InstanceFile = { readonly files: readonly string[]; readonly converted: readonly string[] };

/**
 * The packages of this node on disk, as pnpm lays them out. So Node's own resolution, `__dirname`, the files beside the code and
 * worker threads find what they would find in an installed project.
 *
 *     <folder>/instances/<id>/node_modules/<name>/…       the files
 *     <folder>/instances/<id>/node_modules/<dependency>   a link to the instance that it finds
 *     <folder>/instances/<id>/converted/…                 the CommonJS text of ES modules
 *     <folder>/sets/<hash>/node_modules/<name>            links to what a module finds
 *     <folder>/node_modules                               a link to the external packages, which all of these find
 *
 * It outlives a restart of the container. Everything was verified before it was written, and appears as a whole, by a rename:
 * what is there after a restart can be used. Nobody but this node writes to the folder.
 */
export class PackageFolder {
  readonly #folder: string;
  #temporary = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Whether this node has ever had packages. */
  exists(): boolean {
    return existsSync(this.#in('instances'));
  }

  /**
   * Removes what a process has left unfinished.
   *
   * @param external the `node_modules` of external packages.
   * @throws Error of the file system
   */
  async open(external: string): Promise<void> {
    await rm(this.#in('temporary'), { recursive: true, force: true });
    for (const name of ['temporary', 'instances', 'sets']) mkdirSync(this.#in(name), { recursive: true });
    await rm(this.#in('node_modules'), { force: true });
    symlinkSync(external, this.#in('node_modules'));
  }

  /** An instance that is on disk; null when it is not. */
  readInstance({ id, name, version }: Pick<PackageInstance, 'id' | 'name' | 'version'>): InstanceFiles | null {
    const text = readOrNull(this.#in('instances', id, INSTANCE_FILE));
    if (text === null) return null;
    const { files, converted } = JSON.parse(text.toString()) as InstanceFile;
    return {
      id,
      name,
      version,
      folder: this.#packageFolder({ id, name }),
      convertedFolder: this.#in('instances', id, 'converted'),
      files: new Set(files),
      converted: new Set(converted),
    };
  }

  /** Writes an instance, with turns of the event loop between its files. @throws Error of the file system */
  async writeInstance(instance: PackageInstance, set: PackageSet, { files, converted }: Archive): Promise<void> {
    const folder = this.#newFolder();
    const from = this.#in('instances', instance.id);
    const own = join(folder, 'node_modules', instance.name);
    await writeFiles(own, files);
    await writeFiles(join(folder, 'converted'), converted);
    for (const [name, index] of Object.entries(instance.dependencies)) {
      // A package can find itself by its own name.
      if (name !== instance.name) link(folder, from, name, this.#packageFolder(instanceAt(set, index)));
    }
    const label: InstanceFile = { files: [...files.keys()], converted: [...converted.keys()] };
    writeFileSync(join(folder, INSTANCE_FILE), JSON.stringify(label));
    renameSync(folder, from);
  }

  /** The package set of a hash that is on disk; null when it is not. */
  readSet(hash: string): PackageSet | null {
    const bytes = readOrNull(this.#in('sets', hash, SET_FILE));
    return bytes === null ? null : decodePackageSet(bytes, hash);
  }

  /** Writes a package set whose instances are on disk. @throws Error of the file system */
  writeSet(hash: string, bytes: Uint8Array, set: PackageSet): void {
    const folder = this.#newFolder();
    const from = this.#in('sets', hash);
    for (const [name, index] of Object.entries(set.roots)) {
      link(folder, from, name, this.#packageFolder(instanceAt(set, index)));
    }
    writeFileSync(join(folder, SET_FILE), bytes);
    renameSync(folder, from);
  }

  /** Removes all instances and sets but these. */
  async keepOnly(instances: ReadonlySet<string>, sets: ReadonlySet<string>): Promise<void> {
    for (const [kind, kept] of [
      ['sets', sets],
      ['instances', instances],
    ] as const) {
      for (const name of readdirSync(this.#in(kind))) {
        if (kept.has(name)) continue;
        // Half an instance must not look like a whole one after a restart.
        const removed = join(this.#newFolder(), name);
        renameSync(this.#in(kind, name), removed);
        await rm(dirname(removed), { recursive: true, force: true });
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

  #newFolder(): string {
    const folder = this.#in('temporary', String((this.#temporary += 1)));
    mkdirSync(folder, { recursive: true });
    return folder;
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

async function writeFiles(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const made = new Set<string>();
  let turnStartedAt = performance.now();
  for (const [path, content] of files) {
    const file = join(folder, path);
    const parent = dirname(file);
    if (!made.has(parent)) mkdirSync(parent, { recursive: true });
    made.add(parent);
    writeFileSync(file, content);
    if (performance.now() - turnStartedAt < MAX_TURN_MS) continue;
    await turn();
    turnStartedAt = performance.now();
  }
}

function readOrNull(file: string): Buffer | null {
  try {
    return readFileSync(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
