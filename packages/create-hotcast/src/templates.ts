import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Template } from './options.ts';
import type { PackageJson } from './package-json.ts';
import type { PackageManager } from './package-manager.ts';
import packageJson from '../package.json' with { type: 'json' };

const FOLDER = fileURLToPath(new URL('../templates', import.meta.url));

/** The version of the packages and images of a project that is made. */
export const VERSION = packageJson.version;

/** The name of a compose file that is made. */
export const NEW_COMPOSE_FILE = 'compose.yaml';

/** What the user has chosen. */
export interface Choices {
  readonly name: string;
  readonly cookie: string;
  readonly template: Template;
  readonly packageManager: PackageManager;
}

/** A file to write. */
export interface NewFile {
  /** From the project's folder, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** The files of a project, with what they add to its package.json. */
export interface Contents {
  readonly files: readonly NewFile[];
  readonly packageJson: PackageJson;
}

/** The files of a new project. */
export function newProject(choices: Choices): Contents {
  const { template, packageManager } = choices;
  const tryIt = readFileSync(join(FOLDER, template, 'try.md'), 'utf8').trim();
  const names = { ...namesOf(choices), workflow: 'test', prefix: '', try: tryIt };
  const base = read('base', names);
  const own = read(template, names);
  const manager = packageManager.name === 'yarn' ? read('yarn', names).files : [];
  const files = [...base.files, ...own.files, ...manager, workflow(packageManager, 'ci.yml', names)];
  return { files: sorted(files), packageJson: merged(base.packageJson, own.packageJson) };
}

/**
 * What is added to an existing repository. Its tests have a folder that no other test runner reads.
 *
 * @param composeFile the name of its compose file, or of the new one.
 */
export function addition(choices: Choices, composeFile: string): Contents {
  const { template, packageManager } = choices;
  const names = { ...namesOf(choices), compose: composeFile, workflow: 'hotcast', prefix: 'fleet:' };
  const base = read('base', names).files.filter(({ path }) => ['compose.yaml', 'hotcast.env'].includes(path));
  const own = read(template, names);
  const files = [...base, ...own.files, ...read('add', names).files, workflow(packageManager, 'hotcast.yml', names)];
  const moved = files.map(({ path, text }) => ({
    path: path.replace(/^test\/(\w+)\.test\.ts$/, 'fleet-tests/$1.ts'),
    text,
  }));
  return { files: sorted(moved), packageJson: merged(read('add', names).packageJson, own.packageJson) };
}

type Names = Readonly<Record<string, string>>;

function namesOf({ name, cookie, template, packageManager }: Choices): Names {
  const { install, run, exec } = packageManager;
  // All players meet in one room, and each node has its own.
  const nodes = template === 'websocket-game' ? '1' : '3';
  return { name, cookie, version: VERSION, install, run, exec, nodes, compose: NEW_COMPOSE_FILE };
}

function workflow({ name }: PackageManager, file: string, names: Names): NewFile {
  return { path: `.github/workflows/${file}`, text: textOf(join(FOLDER, 'ci', `${name}.yml`), names) };
}

/** Reads a folder of templates. npm packs no file `.gitignore`, so the names of such files begin with `_`. */
function read(folder: string, names: Names): Contents {
  const from = join(FOLDER, folder);
  const all = readdirSync(from, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name !== 'try.md')
    .map(entry => join(entry.parentPath, entry.name))
    .map(file => ({ path: relative(from, file).split(sep).join('/'), text: textOf(file, names) }));
  const own = all.find(({ path }) => path === 'package.json');
  return {
    files: all.filter(file => file !== own).map(({ path, text }) => ({ path: path.replace(/^_/, '.'), text })),
    packageJson: own === undefined ? {} : (JSON.parse(own.text) as PackageJson),
  };
}

/** A file of a template, with the names in place of `{{name}}`. */
function textOf(file: string, names: Names): string {
  const replaced = (text: string): string =>
    text.replaceAll(/\{\{(\w+)\}\}/g, (all, name: string) => names[name] ?? all);
  // What is inserted has names too.
  return replaced(replaced(readFileSync(file, 'utf8')));
}

function merged(one: PackageJson, other: PackageJson): PackageJson {
  const sections = ['dependencies', 'devDependencies'] as const;
  const both = sections.flatMap(section => {
    const all = Object.entries({ ...one[section], ...other[section] });
    return all.length === 0 ? [] : [[section, Object.fromEntries(all.toSorted(([a], [b]) => (a < b ? -1 : 1)))]];
  });
  return { ...one, ...Object.fromEntries(both) } as PackageJson;
}

function sorted(files: readonly NewFile[]): readonly NewFile[] {
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}
