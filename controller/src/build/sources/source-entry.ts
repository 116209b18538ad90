import { accessSync, constants, lstatSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** What is at the path of a source: a file, nothing, something that can't be compiled, in words, or a folder above it that is closed. */
export type SourceEntry = 'file' | 'nothing' | { readonly problem: string } | { readonly closed: string };

/** Looks at a path and reads nothing: to open a named pipe would wait for its writer. */
export function sourceEntry(path: string): SourceEntry {
  try {
    lstatSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return 'nothing';
    const closed = closedFolder(dirname(path));
    return closed === null ? { problem: problemOf(error) } : { closed };
  }
  try {
    const stats = statSync(path);
    if (!stats.isFile()) return { problem: `is ${kindOf(stats)}` };
    accessSync(path, constants.R_OK);
    return 'file';
  } catch (error) {
    return { problem: problemOf(error) };
  }
}

/** The outermost of a folder and those above it that this process has no right to look into; null when there is none. */
export function closedFolder(folder: string): string | null {
  const above = dirname(folder);
  const outer = above === folder ? null : closedFolder(above);
  return outer ?? (isClosed(folder) ? folder : null);
}

function isClosed(folder: string): boolean {
  try {
    accessSync(folder, constants.X_OK);
    return false;
  } catch (error) {
    return codeOf(error) === 'EACCES';
  }
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a named pipe';
  return stats.isSocket() ? 'a socket' : 'a device';
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

function problemOf(error: unknown): string {
  switch (codeOf(error)) {
    case 'ENOENT':
      return 'is a link to nothing';
    case 'ELOOP':
      return 'is a link to itself';
    default:
      return `can't be read: ${codeOf(error)}`;
  }
}
