import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';

/** Where modules come from. */
export interface ModulesSource {
  readonly folder: string;
  /** The project that they are in, of which they import anything. Null: the folder is all that there is. */
  readonly project: string | null;
  /** The `node_modules` that they find without a project, if it exists; null: none. */
  readonly packages: string | null;
}

/** A folder of this machine that a container sees. */
export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly mode: 'ro';
}

/** Where the controller looks for a project, and for modules without one. */
const PROJECT = '/work/project';
const MODULES_ALONE = '/work/modules';

/** A modules folder with the files of another one, which tests can change. */
export class ModulesFolder {
  readonly path: string;
  /** What the controller sees: the project as it is, and in it this folder in place of the other one. */
  readonly mounts: readonly Mount[];

  constructor(path: string, { folder, project, packages }: ModulesSource) {
    this.path = path;
    cpSync(folder, path, { recursive: true, filter: file => basename(file) !== 'node_modules' });
    const target = project === null ? MODULES_ALONE : join(PROJECT, relative(project, folder));
    const installed = project === null ? packages : join(folder, 'node_modules');
    const mounts = project === null ? [] : [mount(project, PROJECT)];
    mounts.push(mount(path, target));
    if (installed !== null && existsSync(installed)) {
      // The engine can't make the mount point in a folder that is mounted read-only.
      mkdirSync(join(path, 'node_modules'));
      mounts.push(mount(installed, join(target, 'node_modules')));
    }
    this.mounts = mounts;
  }

  readFile(path: string): string {
    return readFileSync(this.#fileOf(path), 'utf8');
  }

  writeFile(path: string, text: string): void {
    const file = this.#fileOf(path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /** @throws TypeError when the file is not in this folder: what is around it is the project itself. */
  #fileOf(path: string): string {
    const file = join(this.path, path);
    if (file.startsWith(this.path + sep)) return file;
    throw new TypeError(`${path} is outside of the modules folder, and a fleet has a copy of that folder only`);
  }
}

function mount(source: string, target: string): Mount {
  return { source, target, mode: 'ro' };
}
