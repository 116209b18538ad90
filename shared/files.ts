import { chownSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The contents of the JSON files in a folder; none when there is no such folder. @throws the file system's error */
export function readJsonFiles(folder: string): Uint8Array[] {
  return readFiles(folder, '.json');
}

/** The contents of the files in a folder whose names have an end; none when there is no such folder. @throws the file system's error */
export function readFiles(folder: string, suffix: string): Uint8Array[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter(file => file.endsWith(suffix));
  return files.map(file => readFileSync(join(folder, file)));
}

/** The text of a file; null when there is no such file. @throws the file system's error */
export function readIfThere(file: string): string | null {
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}

/** The user and group of a file. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Writes a file as a whole: a reader sees the old content or all of the new one.
 *
 * @param owner default: the user of this process.
 * @throws the file system's error
 */
export function replaceFile(file: string, content: string | Uint8Array, mode = 0o644, owner?: Owner): void {
  writeFileSync(`${file}.new`, content, { mode });
  if (owner !== undefined) chownSync(`${file}.new`, owner.uid, owner.gid);
  renameSync(`${file}.new`, file);
}
