import { join } from 'node:path';

import { stampOf } from './sources/source-file.ts';

/** The folders and files that change when a package manager installs or removes something: npm, pnpm, yarn and bun. */
const MARKS = ['.', '@types', '.package-lock.json', '.modules.yaml', '.yarn-state.yml', '.yarn-integrity', '.bun'];

/**
 * A text that differs when packages were installed, updated or removed.
 *
 * @param folders folders with packages, `node_modules`.
 */
export function installedPackages(folders: readonly string[]): string {
  return folders.flatMap(folder => MARKS.map(mark => stampOf(join(folder, mark)) ?? '-')).join('\n');
}
