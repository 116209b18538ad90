import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { ROOT } from '../shell.ts';

const EXAMPLES = join(ROOT, 'modules');

/** A modules folder with the files of another one: the example modules of the repository, if it is left out. */
export class ModulesFolder {
  readonly path: string;
  /** The npm packages that are mounted into the folder. Null when there are none. */
  readonly packages: string | null;

  constructor(path: string, source = EXAMPLES) {
    this.path = path;
    cpSync(source, path, { recursive: true, filter: file => basename(file) !== 'node_modules' });
    const packages = join(source, 'node_modules');
    this.packages = existsSync(packages) ? packages : null;
    // The engine can't make the mount point in a folder that is mounted read-only.
    if (this.packages !== null) mkdirSync(join(path, 'node_modules'));
  }

  writeFile(path: string, text: string): void {
    const file = join(this.path, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
