import { accessSync, constants, lstatSync, type Stats, statSync } from 'node:fs';

/** What is at the path of a source: a file, nothing, or something that can't be compiled, in words. */
export type SourceEntry = 'file' | 'nothing' | { readonly problem: string };

/** Looks at a path and reads nothing: to open a named pipe would wait for its writer. */
export function sourceEntry(path: string): SourceEntry {
  try {
    lstatSync(path);
  } catch (error) {
    return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR' ? 'nothing' : { problem: problemOf(error) };
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
