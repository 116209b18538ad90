import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';

import { UsageError } from '../../../protocol/errors.ts';
import { type HotcastConfig, readConfig } from './language/hotcast-config.ts';
import { SourceFiles } from './sources/source-files.ts';

/** Where modules and what they import are. */
export interface ProjectFolder {
  /** Paths in results are relative to it: the project, or what a modules folder without a project is in. */
  readonly root: string;
  readonly modulesDir: string;
  /** The folder whose files are of interest: the project, or a modules folder alone. */
  readonly sourcesDir: string;
}

/** A modules folder without a project, as it was mounted before there were projects. */
const MODULES_ALONE = '/work/modules';

/**
 * Finds the modules folder: `modulesDir` alone, or the one of a project, as its hotcast.config.ts says.
 *
 * @param modulesDir '' for that of the project.
 * @param warn is called when the configuration can't be read; a push says why too.
 */
export async function findProject(
  { projectDir, modulesDir }: { readonly projectDir: string; readonly modulesDir: string },
  warn: (why: string) => void,
): Promise<ProjectFolder> {
  const alone = modulesDir === '' ? MODULES_ALONE : modulesDir;
  if (modulesDir !== '' || !existsSync(projectDir)) {
    return { root: dirname(alone), modulesDir: alone, sourcesDir: alone };
  }
  const inProject = (folder: string): ProjectFolder => ({
    root: projectDir,
    modulesDir: resolve(projectDir, folder),
    sourcesDir: projectDir,
  });
  try {
    const snapshot = await new SourceFiles(projectDir, projectDir).take(false);
    return inProject((await readConfig(projectDir, snapshot)).modules ?? 'modules');
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    warn(error.message);
    return inProject('modules');
  }
}

/** @throws UsageError when the configuration names another modules folder than the one that this process has */
export function refuseOtherFolder({ modules, files }: HotcastConfig, modulesDir: string, root: string): void {
  const [file] = files;
  if (modules === null || file === undefined || resolve(dirname(file), modules) === modulesDir) return;
  throw new UsageError(
    `${relative(root, file)} has the modules folder ${modules}, and the controller runs with ` +
      `${relative(root, modulesDir)}; nothing was sent: start the controller again (docker compose restart controller)`,
  );
}
