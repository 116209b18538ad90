import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { type Key, keysOf, type PackageJson, valueOf } from './package-json.ts';
import { addition, type Choices, NEW_COMPOSE_FILE, type NewFile } from './templates.ts';

/** Something that is left to the user: a file or a key that is there already. */
export interface ByHand {
  readonly path: string;
  /** What to add there. */
  readonly what: string;
}

/** Everything that an addition changes. Nothing that exists is replaced. */
export interface Plan {
  readonly files: readonly NewFile[];
  readonly keys: readonly Key[];
  readonly byHand: readonly ByHand[];
}

/** The compose files that Docker Compose finds, in its order. */
const COMPOSE_FILES = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'];

/** What is said of a file of that name that is too long to be added to another one. */
export const STAYS = 'it exists, and stays as it is';

/** What a service needs that modules reach. */
const NETWORK = '# and to each service that modules reach by its name:\n#   networks: [default, cluster]\n';

/** What an addition to the repository in a folder will change. */
export function planAddition(folder: string, packageJson: PackageJson, choices: Choices): Plan {
  const composeFile = COMPOSE_FILES.find(name => existsSync(join(folder, name))) ?? NEW_COMPOSE_FILE;
  const contents = addition(choices, composeFile);
  const files: NewFile[] = [];
  const byHand: ByHand[] = [];
  for (const file of contents.files) {
    const path = file.path === NEW_COMPOSE_FILE ? composeFile : file.path;
    const found = join(folder, path);
    if (!existsSync(found)) files.push(file);
    else if (!isDone(file, readFileSync(found, 'utf8'))) byHand.push({ path, what: whatToAdd(file) });
  }
  const keys: Key[] = [];
  for (const key of keysOf(contents.packageJson)) {
    const found = valueOf(packageJson, key);
    if (found === undefined) keys.push(key);
    else if (key.section === 'scripts' && found !== key.value) {
      byHand.push({ path: 'package.json', what: `a script that runs: ${key.value}` });
    }
  }
  return { files, keys, byHand: [...byHand, ...strangers(folder, contents.files)] };
}

/** Whether a file that exists has what it needs. A compose file can have more. */
function isDone({ path, text }: NewFile, found: string): boolean {
  return path === NEW_COMPOSE_FILE ? found.includes('node_modules/hotcast/compose.yaml') : found === text;
}

function whatToAdd({ path, text }: NewFile): string {
  if (path === NEW_COMPOSE_FILE) return `${text.slice(text.search(/^include:/m))}${NETWORK}`;
  return text.split('\n').length <= 10 ? text : STAYS;
}

/** A folder `modules` that had another purpose: Hotcast takes all that is in it for modules. */
function strangers(folder: string, files: readonly NewFile[]): ByHand[] {
  const modules = join(folder, 'modules');
  if (!existsSync(modules) || existsSync(join(modules, 'tsconfig.json'))) return [];
  const own = new Set(files.flatMap(({ path }) => /^modules\/([^/]+)/.exec(path)?.[1] ?? []));
  const others = readdirSync(modules).filter(name => !own.has(name));
  if (others.length === 0) return [];
  return [{ path: 'modules', what: `${others.join(', ')}: Hotcast takes what is in this folder for modules` }];
}
