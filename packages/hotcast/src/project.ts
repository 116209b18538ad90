import { existsSync, readFileSync } from 'node:fs';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { parseEnv } from 'node:util';

import type { HostOptions } from './arguments.ts';

/** The files in which Compose looks for a project, in its order. */
const FILES = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'];

type Environment = Readonly<Record<string, string | undefined>>;

/** A Compose project. */
export interface Project {
  readonly name: string;
  /** The folder of its compose file; the current one if it was only named. */
  readonly folder: string;
  /** Its compose file; null if it was only named. */
  readonly file: string | null;
}

/**
 * Finds the Compose project as Compose does: the nearest compose file upwards, and its name by `COMPOSE_PROJECT_NAME`, by the `name` in
 * the file, or by the folder. The option and `HOTCAST_PROJECT` name another one.
 *
 * @returns null if there is no compose file and no name.
 */
export function findProject(
  { project, projectDirectory }: Pick<HostOptions, 'project' | 'projectDirectory'>,
  env: Environment,
  cwd: string,
): Project | null {
  const file = composeFile(
    env,
    projectDirectory === null ? cwd : resolve(cwd, projectDirectory),
    projectDirectory === null,
  );
  const folder = file === null ? resolve(cwd, projectDirectory ?? '.') : dirname(file);
  const named = project || env['COMPOSE_PROJECT_NAME'] || env['HOTCAST_PROJECT'];
  if (named) return { name: named, folder, file };
  if (file === null) return null;
  const all = { ...dotEnv(folder), ...env };
  const name = all['COMPOSE_PROJECT_NAME'] || nameIn(readFileSync(file, 'utf8'), all) || basename(folder);
  return { name: normalized(name), folder, file };
}

/** The folder with the sources of a push from afar: that of the nearest compose file or hotcast.config.ts upwards, or the current one. */
export function sourcesFolder(projectDirectory: string | null, env: Environment, cwd: string): string {
  const start = resolve(cwd, projectDirectory ?? '.');
  const found = [...FILES, 'hotcast.config.ts'];
  const up = (at: string): string | null => {
    if (found.some(file => existsSync(join(at, file)))) return at;
    return at === dirname(at) ? null : up(dirname(at));
  };
  const project = projectDirectory === null ? (up(start) ?? start) : start;
  return resolve(project, env['PROJECT_DIR'] || '.');
}

function composeFile(env: Environment, folder: string, upwards: boolean): string | null {
  const [configured] = (env['COMPOSE_FILE'] ?? '').split(env['COMPOSE_PATH_SEPARATOR'] || delimiter);
  if (configured) return resolve(folder, configured);
  for (let at = folder; ; at = dirname(at)) {
    const found = FILES.map(file => join(at, file)).find(file => existsSync(file));
    if (found !== undefined) return found;
    if (!upwards || at === dirname(at)) return null;
  }
}

function dotEnv(folder: string): Environment {
  try {
    return parseEnv(readFileSync(join(folder, '.env'), 'utf8'));
  } catch {
    return {};
  }
}

/** The value of the top-level `name` of a compose file, with its variables; none if it has none. */
function nameIn(yaml: string, env: Environment): string {
  const [, value = ''] = /^name:[ \t]*(?:(?:'|")?)([^'"#\n]*?)(?:'|")?[ \t]*(?:#.*)?$/m.exec(yaml) ?? [];
  return value.replaceAll(
    /\$(?:\{(\w+)(?:(:?[-+])([^}]*))?\}|(\w+))/g,
    (
      _,
      braced: string | undefined,
      operator: string | undefined,
      other: string | undefined,
      bare: string | undefined,
    ) => {
      const set = env[braced ?? bare ?? ''];
      const isSet = operator?.startsWith(':') === true ? Boolean(set) : set !== undefined;
      if (operator?.endsWith('+') === true) return isSet ? (other ?? '') : '';
      return isSet ? (set ?? '') : (other ?? '');
    },
  );
}

/** The name as Compose makes it of a folder's. */
function normalized(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, '')
    .replace(/^[_-]+/, '');
}
