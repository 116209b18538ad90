import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What the folder of a project has: a compose file, with which the fleet is started, or the configuration. */
const FILES = ['hotcast.config.ts', 'compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml'];

/**
 * The folder of the project that a modules folder is in: the nearest one above it with a compose file or `hotcast.config.ts`, else the
 * nearest one with a `package.json`. It is not above the repository. Null if there is none.
 */
export function projectOf(modulesDir: string): string | null {
  const above = foldersAbove(modulesDir);
  const has = (...files: string[]) => above.find(folder => files.some(file => existsSync(join(folder, file))));
  return has(...FILES) ?? has('package.json') ?? null;
}

function foldersAbove(folder: string): string[] {
  const parent = dirname(folder);
  if (parent === folder || existsSync(join(folder, '.git'))) return [];
  return [parent, ...foldersAbove(parent)];
}
