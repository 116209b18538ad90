import { type Dirent, readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';

/** When a file was written, or the entries of a folder changed; null for one that is gone. */
type Stamp = Pick<Stats, 'mtimeMs' | 'ctimeMs' | 'size' | 'ino'> | null;

/** What a package folder has that matters here. */
export interface PackageFiles {
  /** The paths of the files that travel, relative to the folder. */
  readonly paths: readonly string[];
  /** How much that is. */
  readonly bytes: number;
  /** A file that makes it a native package; null for a package of JavaScript. */
  readonly native: string | null;
  /** Of all these files, and of the folders. */
  readonly stamps: ReadonlyMap<string, Stamp>;
  /** Whether nothing had been written just before: a later write changes a stamp. */
  readonly isStable: boolean;
}

/** The times of a file system are coarse: two writes within this time can leave the same stamp (milliseconds). */
const STAMP_RESOLUTION_MS = 100;

/** Types, TypeScript, source maps and texts: nothing that runs. */
const LEFT_OUT = /\.(?:[mc]?tsx?|map|md|markdown|flow|tsbuildinfo)$/i;

/** Looks at all files of a package, and reads none. Packages inside of it are packages of their own. */
export function listPackage(folder: string): PackageFiles {
  const now = Date.now();
  const paths: string[] = [];
  const stamps = new Map<string, Stamp>();
  let native: string | null = null;
  const visit = (path: string): void => {
    stamps.set(path, stampOf(join(folder, path)));
    for (const entry of entriesOf(join(folder, path))) {
      const inner = path === '' ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory()) {
        if (entry.name !== 'node_modules') visit(inner);
      } else if (entry.isFile() && !LEFT_OUT.test(entry.name)) {
        if (entry.name.endsWith('.node') || entry.name === 'binding.gyp') native ??= inner;
        paths.push(inner);
        stamps.set(inner, stampOf(join(folder, inner)));
      }
    }
  };
  visit('');
  const newest = Math.max(...[...stamps.values()].map(stamp => Math.max(stamp?.mtimeMs ?? 0, stamp?.ctimeMs ?? 0)));
  const bytes = paths.reduce((sum, path) => sum + (stamps.get(path)?.size ?? 0), 0);
  return { paths, bytes, native, stamps, isStable: now - newest > STAMP_RESOLUTION_MS };
}

/** Whether a package has the same files as before, none of them written since. */
export function isUnchanged(folder: string, { stamps, isStable }: PackageFiles): boolean {
  if (!isStable) return false;
  for (const [path, before] of stamps) if (!isSame(before, stampOf(`${folder}/${path}`))) return false;
  return true;
}

function isSame(one: Stamp, other: Stamp): boolean {
  if (one === null || other === null) return one === other;
  return (
    one.mtimeMs === other.mtimeMs && one.ctimeMs === other.ctimeMs && one.size === other.size && one.ino === other.ino
  );
}

function stampOf(path: string): Stamp {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return null;
  const { mtimeMs, ctimeMs, size, ino } = stats;
  return { mtimeMs, ctimeMs, size, ino };
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
