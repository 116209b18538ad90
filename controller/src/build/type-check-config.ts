import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';

import type { API } from 'typescript/unstable/async';

import { DEFAULT_OPTIONS } from './language/tsconfig.ts';
import { SOURCE_EXTENSIONS } from './module-entry.ts';
import type { SourceSnapshot } from './sources/source-snapshot.ts';

/**
 * What the tsconfig.json of a check has beside its files: the user's configuration, or strict defaults, with the options that a
 * check of this folder needs.
 *
 * @param packageFolders the `node_modules` folders in which types are looked for.
 */
export async function checkConfig(api: API, folder: string, packageFolders: readonly string[]): Promise<object> {
  const users = join(folder, 'tsconfig.json');
  const hasUsers = existsSync(users);
  const options = hasUsers ? (await api.parseConfigFile(users)).options : {};
  const entries = ['*', '*/index'].flatMap(path => SOURCE_EXTENSIONS.map(extension => `${path}${extension}`));
  const paths = { ...absolutePaths(options, folder), 'hot:*': entries.map(path => join(folder, path)) };
  const types = new Set(['node', '@hotcast/types', ...stringsOf(options['types'])]);
  const typeRoots = packageFolders.flatMap(each => [join(each, '@types'), each]);
  const needs = {
    noEmit: true,
    composite: false,
    incremental: false,
    emitDeclarationOnly: false,
    skipLibCheck: true,
  };
  return {
    ...(hasUsers ? { extends: users } : {}),
    compilerOptions: {
      ...(hasUsers ? {} : DEFAULT_OPTIONS),
      ...needs,
      rootDir: '/',
      typeRoots,
      types: [...types],
      paths,
    },
    include: [],
  };
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
