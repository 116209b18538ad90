import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Where modules come from. */
export interface ModulesSource {
  readonly folder: string;
  /** The `node_modules` that they find, if it exists; null: none. */
  readonly packages: string | null;
}

/** A modules folder with the files of another one, which tests can change. */
export class ModulesFolder {
  readonly path: string;
  /** The npm packages that are mounted into the folder; null when there are none. */
  readonly packages: string | null;

  constructor(path: string, { folder, packages }: ModulesSource) {
    this.path = path;
    cpSync(folder, path, { recursive: true, filter: file => basename(file) !== 'node_modules' });
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
