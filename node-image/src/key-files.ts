import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The files of trusted keys in a folder; none when it can't be read. */
export function readKeyFiles(folder: string): Uint8Array[] {
  try {
    const files = readdirSync(folder).filter(file => file.endsWith('.json'));
    return files.map(file => readFileSync(join(folder, file)));
  } catch {
    return [];
  }
}
