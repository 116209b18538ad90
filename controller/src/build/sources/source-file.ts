import { hash } from 'node:crypto';
import { type BigIntStats, type Dirent, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative } from 'node:path';

/** A file as it was read. */
export interface SourceFile {
  readonly bytes: Buffer;
  /** SHA-256 of the bytes, hex. */
  readonly hash: string;
  /** What the file system said before the file was read: see {@link stampOf}. */
  readonly stamp: string;
  /** When it was written (milliseconds of Unix time). */
  readonly writtenAt: number;
  /** Whether the file had not been written just before: a later write changes its stamp. */
  readonly isStable: boolean;
}

/** The files of a folder that can have types, without `node_modules`, and its folders. */
export interface Listing {
  /** Real paths by path: those of links differ. */
  readonly files: ReadonlyMap<string, string>;
  /** Stamps by real path. */
  readonly folders: ReadonlyMap<string, string | null>;
}

/** The times of a file system are coarse: two writes within this time can leave the same stamp (milliseconds). */
const STAMP_RESOLUTION_MS = 100;

/** Reads a file; null for what is missing, unreadable or no regular file. */
export function readSource(path: string): SourceFile | null {
  const now = Date.now();
  const stat = statOf(path);
  // A pipe would block.
  if (stat?.isFile() !== true) return null;
  try {
    const bytes = readFileSync(path);
    const writtenAt = Number(stat.mtimeMs > stat.ctimeMs ? stat.mtimeMs : stat.ctimeMs);
    const isStable = now - writtenAt > STAMP_RESOLUTION_MS;
    return { bytes, hash: hash('sha256', bytes), stamp: textOf(stat), writtenAt, isStable };
  } catch {
    return null;
  }
}

/** Whether a file is still as it was read. */
export function isUnchanged(path: string, file: SourceFile | null): boolean {
  const isStable = file?.isStable === true && stampOf(path) === file.stamp;
  return isStable || readSource(path)?.hash === file?.hash;
}

/** Whether a file was written so many milliseconds ago, or less. */
export function isWrittenWithin(ms: number, file: SourceFile | null): boolean {
  return file !== null && Math.abs(Date.now() - file.writtenAt) < ms;
}

/** A text that differs when a file was written, or when the entries of a folder changed; null when there is none. */
export function stampOf(path: string): string | null {
  const stat = statOf(path);
  return stat === null ? null : textOf(stat);
}

/** The path without links; the path itself when there is no such file. */
export function realPathOf(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}

/** A folder and those above it, up to another one; the folder alone when it is not in that. */
export function foldersUpTo(root: string, folder: string): string[] {
  const above = relative(root, folder);
  if (above === '' || above.startsWith('..') || isAbsolute(above)) return [folder];
  return [folder, ...foldersUpTo(root, dirname(folder))];
}

/** Whether a file belongs to an npm package, and is not a source. */
export function isInPackage(path: string): boolean {
  return /(^|\/)node_modules\//.test(path);
}

/** Whether a file can have types, by its name. */
export function hasTypes(path: string): boolean {
  return /\.([mc]?[jt]sx?|json)$/.test(path);
}

/** What can't be read is left out: the compiler names it if a module needs it. */
export function listSources(folder: string): Listing {
  const files = new Map<string, string>();
  const folders = new Map<string, string | null>();
  const visit = (current: string, real: string): void => {
    folders.set(real, stampOf(real));
    for (const entry of entriesOf(current)) {
      const path = join(current, entry.name);
      if (entry.isDirectory() && entry.name !== 'node_modules') visit(path, join(real, entry.name));
      if (!hasTypes(entry.name)) continue;
      if (entry.isFile()) files.set(path, join(real, entry.name));
      else if (entry.isSymbolicLink() && statOf(path)?.isFile() === true) files.set(path, realPathOf(path));
    }
  };
  visit(folder, realPathOf(folder));
  return { files, folders };
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function statOf(path: string): BigIntStats | null {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return null;
  }
}

function textOf({ mtimeNs, ctimeNs, size, ino }: BigIntStats): string {
  return `${mtimeNs} ${ctimeNs} ${size} ${ino}`;
}
