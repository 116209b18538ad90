import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Manifest } from '../../../../protocol/head.ts';
import type { StorableArchive, StorablePackages } from '../../store/packages.ts';
import { makeArchive } from './archive.ts';
import { oneVersionEach } from './external-packages.ts';
import {
  type Dependency,
  makeExternal,
  type NativeReason,
  type Needed,
  nativesIn,
  refusalOf,
} from './native-packages.ts';
import { type FoundPackage, nameOfFolder, PackageFolders } from './package-folder.ts';
import { isUnchanged, listPackage, type PackageFiles } from './package-files.ts';
import { dependenciesOf, type PackageJson, parsePackageJson } from './package-json.ts';
import { type Externals, type LinkedPackage, packageSetOf } from './package-set.ts';

/** The packages of a compiled module, as they are stored. */
export interface PackedPackages extends StorablePackages {
  /** The ids of the instances that the module's code requires, by the names under which it does. */
  readonly ids: ReadonlyMap<string, string>;
  readonly manifest: NonNullable<Manifest['packages']>;
  readonly leftOut: readonly LeftOut[];
  /** The names of the external packages that the module and its packages need. */
  readonly externals: readonly string[];
}

/** A native package that is installed and left out, because another one can do without it. */
export interface LeftOut {
  /** The package that the module imports, by the name in its code. */
  readonly root: string;
  /** The native package: `name version`. */
  readonly label: string;
  /** What to do if the root does not load without it. */
  readonly remedy: string;
}

/** A package in `node_modules`. */
interface Installed {
  readonly name: string;
  /** For people: `hono 4.13.19`. */
  readonly label: string;
  readonly json: PackageJson;
  readonly files: PackageFiles;
  archive: Promise<StorableArchive> | null;
}

/** An installed package, and the folders of what it finds. */
interface Found extends Needed {
  readonly installed: Installed;
  readonly externals: Externals;
}

/** How many archives are made at once. */
const PARALLEL_ARCHIVES = 4;

const NAME = /^(?:@[\w.~-]+\/)?[\w.~-]+$/;

/** The packages that are installed. Archives are kept for as long as no file of a package is written. */
export class Packages {
  readonly #known = new Map<string, Installed>();
  readonly #views = new WeakMap<object, PackagesView>();

  /**
   * The packages as they are now; the same ones for the same moment.
   *
   * @param external the names of those that are not sent, because the nodes' image has them.
   */
  at(moment: object, external: ReadonlySet<string> = new Set()): PackagesView {
    const view = this.#views.get(moment) ?? new PackagesView(folder => this.#read(folder), external);
    this.#views.set(moment, view);
    return view;
  }

  #read(folder: string): Installed {
    const known = this.#known.get(folder);
    if (known !== undefined && isUnchanged(folder, known.files)) return known;
    void known?.archive?.then(({ release }) => release());
    const files = listPackage(folder);
    const json = parsePackageJson(readText(join(folder, 'package.json')));
    const name = json.name !== undefined && NAME.test(json.name) ? json.name : nameOfFolder(folder);
    const installed = { name, label: `${name} ${json.version}`.trim(), json, files, archive: null };
    this.#known.set(folder, installed);
    return installed;
  }
}

/** The packages as they are at one moment. */
export class PackagesView {
  readonly #folders = new PackageFolders();
  readonly #read: (folder: string) => Installed;
  readonly #found = new Map<string, Found>();
  readonly #external: ReadonlySet<string>;

  constructor(read: (folder: string) => Installed, external: ReadonlySet<string>) {
    this.#read = read;
    this.#external = external;
  }

  isExternal(name: string): boolean {
    return this.#external.has(name);
  }

  /** The version of an installed package, '' when it says none. */
  versionIn(folder: string): string {
    return parsePackageJson(readText(join(folder, 'package.json'))).version;
  }

  /** See {@link PackageFolders}. */
  find(name: string, from: string): FoundPackage | null {
    return this.#folders.find(name, from);
  }

  /** Whether a package says which of its files can be imported. */
  hasExports(folder: string): boolean {
    return (this.#at(folder).installed.json.exports ?? null) !== null;
  }

  /**
   * Packs the packages of a module.
   *
   * @param module for errors.
   * @param roots the real folders of what it imports, by the names under which its code requires them.
   * @param imported the external packages that it imports.
   * @throws UsageError when one of them is native or needs a native one, or is too large, or when an external one is needed in two
   *   versions.
   */
  async pack(
    module: string,
    roots: ReadonlyMap<string, string>,
    imported: Iterable<readonly [name: string, version: string]> = [],
  ): Promise<PackedPackages> {
    const all = this.#reach([...roots.values()]);
    const natives = nativesIn(all);
    for (const folder of roots.values()) {
      const native = natives.get(folder);
      if (native !== undefined) throw refusalOf(module, get(all, folder).installed, native, this.#external);
    }
    const packages = new Map<string, LinkedPackage<string>>();
    const archives = new Map<string, StorableArchive>();
    const usable = [...reachable([...roots.values()], all, natives)];
    await inParallel(PARALLEL_ARCHIVES, usable, async folder => {
      const { installed, dependencies, externals } = get(all, folder);
      const archive = await archiveOf(folder, installed);
      archives.set(archive.hash, archive);
      const linked = [...dependencies].flatMap(([name, { folder: target }]): [string, string][] =>
        natives.has(target) ? [] : [[name, target]],
      );
      const { name, json } = installed;
      packages.set(folder, { name, version: json.version, archive, dependencies: new Map(linked), externals });
    });
    const externals = oneVersionEach(module, [
      ...imported,
      ...[...packages.values()].flatMap(each => [...each.externals]),
    ]);
    const {
      set: { roots: links, instances },
      bytes: set,
      hash,
    } = packageSetOf(roots, packages, externals);
    const ids = new Map(Object.entries(links).map(([root, index]) => [root, instances[index]?.id ?? '']));
    const own = [...roots].map(([root, folder]) => [root, get(all, folder).installed.json.version] as const);
    const versions = Object.fromEntries([...own, ...externals].toSorted(([a], [b]) => (a < b ? -1 : 1)));
    const bytes = [...archives.values()].reduce((sum, { packedBytes }) => sum + packedBytes, 0);
    const leftOut = [...roots].flatMap(([root, folder]) => this.#leftOut(root, folder, all, natives));
    const manifest = { hash, versions, bytes };
    return { hash, set, ids, archives: [...archives.values()], manifest, leftOut, externals: [...externals.keys()] };
  }

  /** What is left out of what a root reaches. */
  #leftOut(
    root: string,
    folder: string,
    all: ReadonlyMap<string, Found>,
    natives: ReadonlyMap<string, NativeReason>,
  ): LeftOut[] {
    if (natives.size === 0) return [];
    return [...reachable([folder], all, natives)].flatMap(each => {
      const { installed, dependencies } = get(all, each);
      return [...dependencies.values()].flatMap(({ folder: target }) => {
        const native = natives.get(target);
        const remedy = makeExternal(installed.label, this.#external);
        return native === undefined ? [] : [{ root, label: native.label, remedy }];
      });
    });
  }

  /** The packages that some packages reach, by folder; not the external ones. */
  #reach(folders: readonly string[]): ReadonlyMap<string, Found> {
    const reached = new Set(folders);
    // The iteration of a set includes the elements that are added during it.
    for (const folder of reached)
      for (const { folder: next } of this.#at(folder).dependencies.values()) reached.add(next);
    return new Map([...reached].map(folder => [folder, this.#at(folder)]));
  }

  #at(folder: string): Found {
    const known = this.#found.get(folder);
    if (known !== undefined) return known;
    const installed = this.#read(folder);
    const dependencies = new Map<string, Dependency>();
    const externals = new Map<string, string>();
    for (const [name, isOptional] of dependenciesOf(installed.json)) {
      const target = NAME.test(name) ? this.#folders.find(name, folder) : null;
      if (target === null) continue;
      if (this.isExternal(name)) externals.set(name, this.versionIn(target.folder));
      else dependencies.set(name, { folder: target.folder, isOptional });
    }
    const found = { installed, dependencies, externals };
    this.#found.set(folder, found);
    return found;
  }
}

function get(all: ReadonlyMap<string, Found>, folder: string): Found {
  const found = all.get(folder);
  if (found === undefined) throw new TypeError(`${folder} was not looked at`);
  return found;
}

/** The folders that the roots reach without the native packages, which are left out. */
function reachable(
  roots: readonly string[],
  all: ReadonlyMap<string, Found>,
  natives: { has(folder: string): boolean },
): Set<string> {
  const reached = new Set(roots);
  for (const folder of reached) {
    for (const { folder: next } of get(all, folder).dependencies.values()) if (!natives.has(next)) reached.add(next);
  }
  return reached;
}

async function archiveOf(folder: string, installed: Installed): Promise<StorableArchive> {
  installed.archive ??= makeArchive(folder, installed.files, installed.label);
  try {
    return await installed.archive;
  } catch (error) {
    installed.archive = null;
    throw error;
  }
}

async function inParallel<T>(count: number, all: readonly T[], work: (each: T) => Promise<void>): Promise<void> {
  const left = all.values();
  const worker = async (): Promise<void> => {
    for (const each of left) await work(each);
  };
  await Promise.all(Array.from({ length: count }, worker));
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
