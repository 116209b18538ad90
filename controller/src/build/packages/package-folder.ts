import { type Dirent, existsSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

const PACKAGE_NAME = /^(?:@[^/]+\/)?[^/]+/;

/** The name of the package in a bare specifier: `@scope/name` of `@scope/name/path`. */
export function packageNameOf(specifier: string): string {
  return PACKAGE_NAME.exec(specifier)?.[0] ?? specifier;
}

/** The name of the package in a folder: `@scope/name` of `…/node_modules/@scope/name`. */
export function nameOfFolder(folder: string): string {
  return /(?:@[^/]+\/)?[^/]+$/.exec(folder)?.[0] ?? folder;
}

/** A file of an installed package. */
export interface PackageFile {
  /** The package's real folder. */
  readonly folder: string;
  /** The path of the file in it. */
  readonly path: string;
}

/** The installed package that a real path belongs to; null for a file outside of `node_modules`. */
export function packageOf(file: string): PackageFile | null {
  const match = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\/(.+)$/.exec(file);
  return match === null ? null : { folder: match[1] ?? '', path: match[2] ?? '' };
}

/** The folders in which the packages of a modules folder can be. Those that are links are named by their real paths too. */
export function packageFolders(modulesDir: string): string[] {
  const here = join(modulesDir, 'node_modules');
  const above = dirname(modulesDir);
  return [...new Set([here, realPath(here) ?? here, ...(above === modulesDir ? [] : packageFolders(above))])];
}

/** An installed package. */
export interface FoundPackage {
  /** Where it was found. */
  readonly path: string;
  /** Its real folder. */
  readonly folder: string;
}

/**
 * Finds packages as Node.js does: in the `node_modules` of a folder and of those above it. It keeps what it has seen, so it is
 * valid for one moment.
 */
export class PackageFolders {
  readonly #folders = new Map<string, Folder | null>();
  readonly #found = new Map<string, FoundPackage | null>();

  /**
   * Finds a package for the files of a folder.
   *
   * @param from the real path of the folder.
   * @returns null when it is not installed.
   */
  find(name: string, from: string): FoundPackage | null {
    const key = `${from}\0${name}`;
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    // A folder `node_modules` has no `node_modules` of its own.
    const here = from.endsWith('/node_modules') ? null : this.#at(join(from, 'node_modules'), name);
    const above = dirname(from);
    const found = here ?? (above === from ? null : this.find(name, above));
    this.#found.set(key, found);
    return found;
  }

  #at(modules: string, name: string): FoundPackage | null {
    const path = join(modules, name);
    const inner = name.slice(name.indexOf('/') + 1);
    const within = this.#read(dirname(path));
    const entry = within?.entries.get(inner);
    if (within === null || entry === undefined) return null;
    // The folder can be a link itself: to the `node_modules` of another folder, or to all packages of a scope.
    const folder = entry.isDirectory() ? join(within.real, inner) : entry.isSymbolicLink() ? realPath(path) : null;
    return folder === null ? null : { path, folder };
  }

  #read(folder: string): Folder | null {
    let found = this.#folders.get(folder);
    if (found === undefined) {
      found = folderAt(folder);
      this.#folders.set(folder, found);
    }
    return found;
  }
}

function realPath(path: string): string | null {
  try {
    return realpathSync.native(path);
  } catch {
    return null;
  }
}

/** A folder with packages, or with those of a scope. */
interface Folder {
  readonly real: string;
  readonly entries: ReadonlyMap<string, Dirent>;
}

function folderAt(path: string): Folder | null {
  // Most packages have no packages inside, and an error is dear.
  const real = existsSync(path) ? realPath(path) : null;
  if (real === null) return null;
  try {
    const entries = readdirSync(real, { withFileTypes: true });
    return { real, entries: new Map(entries.map(entry => [entry.name, entry])) };
  } catch {
    return null;
  }
}
