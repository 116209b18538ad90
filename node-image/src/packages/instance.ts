import { join, posix } from 'node:path';

import type { ArchiveFile } from './archive-file.ts';
import type { FileRecord } from './file-record.ts';
import type { PackageGlobals } from './package-globals.ts';

/** What a package.json says that matters at run time. */
export interface Manifest {
  readonly name?: unknown;
  readonly main?: unknown;
  readonly type?: unknown;
  readonly exports?: unknown;
  readonly imports?: unknown;
}

/** What an instance is made of. Paths are relative to its folder and have `/`. */
export interface InstanceFiles {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** `<folder>/instances/<id>/node_modules/<name>`. The files need not be there: see {@link ArchiveFile.usesPlace}. */
  readonly folder: string;
  readonly archive: ArchiveFile;
}

/** A package on this node, with the instances that it finds in `node_modules`. All modules that use it share it. */
export class Instance {
  readonly id: string;
  readonly folder: string;
  readonly archive: ArchiveFile;
  readonly #own: InstanceFiles;
  /** By the names of their folders. */
  readonly dependencies = new Map<string, Instance>();
  /** The files that were evaluated, or are being evaluated, by their paths. */
  readonly records = new Map<string, FileRecord>();
  /** What the resolver has found for this instance. */
  readonly resolved = new Map<string, Location>();
  /** What its files see as globals; null before the first is evaluated. */
  globals: PackageGlobals | null = null;
  readonly #manifests = new Map<string, Manifest | null>();

  constructor(own: InstanceFiles) {
    this.#own = own;
    this.id = own.id;
    this.folder = own.folder;
    this.archive = own.archive;
  }

  /** Its files, by their paths. */
  get files(): { has(path: string): boolean } {
    return this.archive.files;
  }

  get name(): string {
    return this.#own.name;
  }

  /** `zod@4.1.0` */
  get label(): string {
    return `${this.#own.name}@${this.#own.version}`;
  }

  /** The package.json in a folder of the package, '' for its root; null when there is none. @throws SyntaxError */
  manifest(folder: string): Manifest | null {
    const known = this.#manifests.get(folder);
    if (known !== undefined) return known;
    const path = posix.join(folder, 'package.json');
    const manifest = this.files.has(path) ? (JSON.parse(this.read(path)) as Manifest) : null;
    this.#manifests.set(folder, manifest);
    return manifest;
  }

  /** The package.json that a file belongs to, and its folder. */
  scopeOf(path: string): { readonly folder: string; readonly manifest: Manifest } {
    for (let folder = folderOf(path); folder !== ''; folder = folderOf(folder)) {
      const manifest = this.manifest(folder);
      if (manifest !== null) return { folder, manifest };
    }
    return { folder: '', manifest: this.manifest('') ?? {} };
  }

  /** The text of a file as it is installed. */
  read(path: string): string {
    const span = this.archive.files.get(path);
    if (span === undefined) throw new RangeError(`${this.label} has no file ${path}`);
    return this.archive
      .read(span)
      .toString()
      .replace(/^\uFEFF/, '');
  }

  /** The text that runs in place of a file; null when it runs as it is. */
  readConverted(path: string): string | null {
    const span = this.archive.converted.get(path);
    return span === undefined ? null : this.archive.read(span).toString();
  }
}

/** A file of a package. */
export interface Location {
  readonly instance: Instance;
  readonly path: string;
}

/** The folder of a path inside of a package, '' for its root. */
export function folderOf(path: string): string {
  const folder = posix.dirname(path);
  return folder === '.' ? '' : folder;
}

export function fileNameOf({ instance, path }: Location): string {
  return join(instance.folder, path);
}
