import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The contents of the JSON files in a folder; none when there is no such folder. @throws the file system's error */
export function readJsonFiles(folder: string): Uint8Array[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter(file => file.endsWith('.json'));
  return files.map(file => readFileSync(join(folder, file)));
}

/** Writes a file as a whole: a reader sees the old content or all of the new one. @throws the file system's error */
export function replaceFile(file: string, content: string | Uint8Array, mode = 0o644): void {
  writeFileSync(`${file}.new`, content, { mode });
  renameSync(`${file}.new`, file);
}
