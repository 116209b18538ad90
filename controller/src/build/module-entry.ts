import { readdirSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';

import { UsageError } from '../../../protocol/errors.ts';
import { isModuleName, MODULE_RULE } from '../../../protocol/names.ts';
import { closedFolder, sourceEntry, type SourceEntry } from './sources/source-entry.ts';

/** How the name of a module's source can end. */
export const SOURCE_EXTENSIONS = ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs'] as const;

/** How many files that are no modules are named. */
const MAX_OTHERS = 3;

interface Source {
  readonly path: string;
  readonly entry: SourceEntry;
}

/** Why the source of a module can't be read, and what to do. */
export interface Unreadable {
  /** `modules/odd.ts is a socket` */
  readonly problem: string;
  readonly remedy: string;
}

interface Folder {
  /** The names of modules that can be read. */
  readonly modules: readonly string[];
  /** Those that can't. */
  readonly unreadable: ReadonlyMap<string, Unreadable>;
  /** Sources whose names are not those of modules. */
  readonly others: readonly string[];
}

const isFile = ({ entry }: Source): boolean => entry === 'file';

/** The names of the modules in a folder that can be read. @throws UsageError when the folder can't. */
export function availableModules(modulesDir: string): readonly string[] {
  return lookAt(modulesDir).modules;
}

/** The modules whose source can't be read. @throws UsageError when the folder can't. */
export function unreadableModules(modulesDir: string): ReadonlyMap<string, Unreadable> {
  return lookAt(modulesDir).unreadable;
}

/**
 * The file that a module is compiled from: `<modulesDir>/<module>.ts`, or an `index.ts` in the folder `<module>`, or one with
 * another of the {@link SOURCE_EXTENSIONS}.
 *
 * @throws UsageError when there is no such file, or more than one.
 */
export function moduleEntry(modulesDir: string, module: string): string {
  const sources = entriesOf(modulesDir, module);
  const nameOf = (source: Source): string => pathOf(source, modulesDir);
  const [file, ...more] = sources.filter(isFile);
  if (file !== undefined && more.length > 0) {
    const last = more.at(-1) ?? file;
    const first = [file, ...more.slice(0, -1)].map(nameOf).join(', ');
    throw new UsageError(`there are both ${first} and ${nameOf(last)}: remove one`);
  }
  if (file !== undefined) return file.path;
  const problem = problemIn(sources, modulesDir);
  if (problem !== null) throw new UsageError(`${problem.problem}: ${problem.remedy}`);
  throw new UsageError(noSuchModule(modulesDir, module));
}

function noSuchModule(modulesDir: string, module: string): string {
  const { modules, others } = lookAt(modulesDir);
  const extensions = SOURCE_EXTENSIONS.slice(1).join(', ');
  const possible = `modules/${module}.ts and no modules/${module}/index.ts (or ${extensions})`;
  const known = `modules here: ${modules.join(', ') || 'none yet'}`;
  if (others.length === 0) return `there is no ${possible}; ${known}`;
  const named = [...others.slice(0, MAX_OTHERS), ...(others.length > MAX_OTHERS ? ['…'] : [])].join(', ');
  return `there is no ${possible}; ${known}; not the name of a module: ${named} (it has ${MODULE_RULE})`;
}

function lookAt(modulesDir: string): Folder {
  if (sourceEntry(modulesDir) === 'nothing') return { modules: [], unreadable: new Map(), others: [] };
  const files = filesIn(modulesDir);
  const names = [...new Set(files.map(nameIn))].filter(isModuleName).toSorted();
  const sources = names.map(module => [module, entriesOf(modulesDir, module)] as const);
  return {
    modules: sources.flatMap(([module, entries]) => (entries.some(isFile) ? [module] : [])),
    unreadable: new Map(
      sources.flatMap(([module, entries]) => {
        const problem = entries.some(isFile) ? null : problemIn(entries, modulesDir);
        return problem === null ? [] : [[module, problem]];
      }),
    ),
    others: files.filter(file => isSource(file) && !isModuleName(nameIn(file))).toSorted(),
  };
}

/** @throws UsageError when the folder can't be read. */
function filesIn(modulesDir: string): string[] {
  try {
    return readdirSync(modulesDir);
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EACCES')) throw cause;
    const { problem, remedy } = closed(closedFolder(modulesDir) ?? modulesDir, modulesDir);
    throw new UsageError(`${problem}: ${remedy}`, { cause });
  }
}

/** The first of these sources that can't be read, and why; null when there is none. */
function problemIn(sources: readonly Source[], modulesDir: string): Unreadable | null {
  for (const source of sources) {
    const { entry } = source;
    if (typeof entry === 'string') continue;
    if ('closed' in entry) return closed(entry.closed, modulesDir);
    return {
      problem: `${pathOf(source, modulesDir)} ${entry.problem}`,
      remedy: 'make it a file that can be read',
    };
  }
  return null;
}

/** Says that a folder can't be looked into. One above the modules folder is that of the project. */
function closed(folder: string, modulesDir: string): Unreadable {
  const path = relative(dirname(modulesDir), folder);
  const isAbove = path === '' || path.startsWith('..');
  return {
    problem: `${isAbove ? 'the folder of the project' : `the folder ${path}`} can't be read by the controller, whose user is ${userId()}`,
    remedy: `let others read it: chmod o+rx ${isAbove ? '. in that folder' : path}`,
  };
}

const userId = (): string => String(process.getuid?.() ?? '');

function pathOf({ path }: Source, modulesDir: string): string {
  return relative(dirname(modulesDir), path);
}

/** A file with a dot in its name is no module by intent: `types.d.ts`, `demo.test.ts`, `.hidden.js`. */
function isSource(file: string): boolean {
  return SOURCE_EXTENSIONS.some(extension => file.endsWith(extension)) && !nameIn(file).includes('.');
}

function nameIn(file: string): string {
  const extension = SOURCE_EXTENSIONS.find(each => file.endsWith(each)) ?? '';
  return basename(file, extension);
}

/** What is where the source of a module can be. */
function entriesOf(modulesDir: string, module: string): Source[] {
  const paths = [join(modulesDir, module), join(modulesDir, module, 'index')];
  return paths
    .flatMap(path => SOURCE_EXTENSIONS.map(extension => `${path}${extension}`))
    .map(path => ({ path, entry: sourceEntry(path) }))
    .filter(({ entry }) => entry !== 'nothing');
}
