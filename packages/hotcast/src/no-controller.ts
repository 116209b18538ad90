import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import type { Project } from './project.ts';

/** How a script of package.json is run, by the lock file of the package manager. */
const RUNNERS = { 'pnpm-lock.yaml': 'pnpm run', 'yarn.lock': 'yarn run' } as const;

/** What a compose file has that starts the controller: the file of this package, or a service of its own. */
const CONTROLLER = /hotcast\/compose\.yaml|^ {2}controller:/m;

/** How the user starts the cluster of a folder: as its package.json does, if it has a script for it. */
export function startCommand(folder: string, env: Readonly<Record<string, string | undefined>>): string {
  if (env['HOTCAST_START']) return env['HOTCAST_START'];
  const script = Object.entries(scriptsOf(folder)).find(([, line]) => String(line).startsWith('docker compose up'));
  if (script === undefined) return 'docker compose up --detach';
  const [, runner] = Object.entries(RUNNERS).find(([file]) => existsSync(join(folder, file))) ?? [null, 'npm run'];
  return `${runner} ${script[0]}`;
}

/**
 * Says that the controller of a project does not run, and what to do.
 *
 * @param isNamed whether the user has named the project, which need not be that of the folder.
 * @param running the projects whose controllers run.
 */
export function notRunning(project: Project, isNamed: boolean, start: string, running: readonly string[]): string {
  const problem = `the controller of ${project.name} is not running`;
  if (isNamed) {
    const others = running.length === 0 ? 'no other project has one that runs' : `one runs in: ${running.join(', ')}`;
    return `${problem}; ${others}`;
  }
  if (project.file === null || CONTROLLER.test(readFileSync(project.file, 'utf8'))) {
    return `${problem}; start the cluster with: ${start}`;
  }
  return [
    `${problem}: ${basename(project.file)} does not include it. Add there, and then start the cluster with: ${start}`,
    '  include:',
    '    - path: node_modules/hotcast/compose.yaml',
    '      project_directory: .',
    ...(existsSync(join(project.folder, 'hotcast.env')) ? ['      env_file: hotcast.env'] : []),
  ].join('\n');
}

function scriptsOf(folder: string): Readonly<Record<string, unknown>> {
  try {
    const { scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { readonly scripts?: object };
    return { ...scripts };
  } catch {
    return {};
  }
}
