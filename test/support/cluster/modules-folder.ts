import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { ROOT } from '../shell.ts';

const EXAMPLES = join(ROOT, 'modules');

/** A modules folder with the files of another one: the example modules of the repository, if it is left out. */
export class ModulesFolder {
  readonly path: string;
  /** The npm packages that are mounted into the folder. Null when there are none: those of the examples are in the image. */
  readonly packages: string | null;

  constructor(path: string, source?: string) {
    this.path = path;
    cpSync(source ?? EXAMPLES, path, { recursive: true, filter: file => basename(file) !== 'node_modules' });
    const packages = source === undefined ? null : join(source, 'node_modules');
    this.packages = packages !== null && existsSync(packages) ? packages : null;
    // The engine can't make the mount point in a folder that is mounted read-only.
    if (this.packages !== null) mkdirSync(join(path, 'node_modules'));
  }

  writeFile(path: string, text: string): void {
    const file = join(this.path, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
