import { dirname, isAbsolute, join, resolve } from 'node:path';

import type { API } from 'typescript/unstable/async';

import { DEFAULT_OPTIONS } from './language/tsconfig.ts';
import { SOURCE_EXTENSIONS } from './module-entry.ts';
import { isInPackage } from './sources/source-file.ts';
import type { SourceSnapshot } from './sources/source-snapshot.ts';

/**
 * What the tsconfig.json of a check has beside its files: the user's configuration, or strict defaults, with the options that a
 * check of this folder needs.
 *
 * @param users the path of the user's configuration; null when there is none.
 * @param packageFolders the `node_modules` folders in which types are looked for.
 * @returns the files with declarations for all files that the configuration names, too.
 */
export async function checkConfig(
  api: API,
  folder: string,
  users: string | null,
  packageFolders: readonly string[],
): Promise<{ readonly base: object; readonly declarations: readonly string[] }> {
  const { options, fileNames } = users === null ? { options: {}, fileNames: [] } : await api.parseConfigFile(users);
  const entries = ['*', '*/index'].flatMap(path => SOURCE_EXTENSIONS.map(extension => `${path}${extension}`));
  const paths = {
    ...absolutePaths(options, users === null ? folder : dirname(users)),
    'hot:*': entries.map(path => join(folder, path)),
  };
  const types = new Set(['node', '@hotcast/types', ...stringsOf(options['types'])]);
  const typeRoots = packageFolders.flatMap(each => [join(each, '@types'), each]);
  const needs = {
    noEmit: true,
    composite: false,
    incremental: false,
    emitDeclarationOnly: false,
    skipLibCheck: true,
  };
  const base = {
    ...(users === null ? {} : { extends: users }),
    compilerOptions: {
      ...(users === null ? DEFAULT_OPTIONS : {}),
      ...needs,
      rootDir: '/',
      typeRoots,
      types: [...types],
      paths,
    },
    include: [],
  };
  return { base, declarations: fileNames.filter(path => /\.d\.[mc]?ts$/.test(path) && !isInPackage(path)) };
}

/** Whether other files see what a file declares, without an import of it. */
export function isAmbient(path: string, sources: SourceSnapshot): boolean {
  return /\.d\.[mc]?ts$/.test(path) || /\bdeclare\s+(?:global|module)\b/.test(sources.text(path) ?? '');
}

function absolutePaths(options: Record<string, unknown>, folder: string): Record<string, string[]> {
  const { paths = {}, pathsBasePath } = options;
  if (typeof paths !== 'object' || paths === null) return {};
  const base = typeof pathsBasePath === 'string' ? pathsBasePath : folder;
  return Object.fromEntries(
    Object.entries(paths).map(([name, targets]) => [
      name,
      stringsOf(targets).map(target => (isAbsolute(target) ? target : resolve(base, target))),
    ]),
  );
}

function stringsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter(each => typeof each === 'string') : [];
}
