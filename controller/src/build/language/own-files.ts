import { extname, relative } from 'node:path';

import type { Loader, OnLoadArgs, OnLoadResult, PartialMessage, Plugin } from 'esbuild';

import { SOURCE_EXTENSIONS } from '../module-entry.ts';
import { isInPackage } from '../sources/source-file.ts';
import type { SourceSnapshot } from '../sources/source-snapshot.ts';
import { hasDecorators, withDecoratorMetadata } from './decorator-metadata.ts';
import { refusedUses } from './refused-uses.ts';
import type { ScriptFile } from './script-file.ts';
import type { Tsconfig } from './tsconfig.ts';

/** What an import gives whose attribute says `with { type: … }`. */
const ATTRIBUTES: Readonly<Record<string, Loader>> = { json: 'json', text: 'text', bytes: 'binary' };

/** What an import without an attribute gives: the text of the file, or its bytes. */
export const ASSETS: Readonly<Record<string, Loader>> = {
  ...Object.fromEntries(
    '.txt .sql .html .htm .css .md .csv .graphql .gql .xml .svg .yaml .yml'.split(' ').map(each => [each, 'text']),
  ),
  ...Object.fromEntries('.wasm .bin .png .jpg .jpeg .gif .webp .ico'.split(' ').map(each => [each, 'binary'])),
};

const SCRIPTS: Readonly<Record<(typeof SOURCE_EXTENSIONS)[number], Loader>> = {
  '.ts': 'ts',
  '.tsx': 'tsx',
  '.mts': 'ts',
  '.cts': 'ts',
  '.js': 'js',
  '.jsx': 'jsx',
  '.mjs': 'js',
  '.cjs': 'js',
};

/**
 * Gives esbuild the files of a snapshot, and refuses what has no meaning on a node. It reads packages by itself.
 *
 * @param data whether files that are no scripts have their content, or only the names that they export.
 */
export function ownFiles(snapshot: SourceSnapshot, tsconfig: Tsconfig, data: 'whole' | 'names'): Plugin {
  return {
    name: 'own-files',
    setup: esbuild => {
      const nameOf = (path: string): string => relative(esbuild.initialOptions.absWorkingDir ?? '', path);
      esbuild.onLoad({ filter: /.*/, namespace: 'file' }, async ({ path, with: { type } }: OnLoadArgs) => {
        if (isInPackage(path) && type === undefined) return undefined;
        const name = nameOf(path);
        const contents = snapshot.bytes(path);
        if (contents === null) return error(`Could not read ${name}: it is missing, not readable or no regular file`);
        if (type !== undefined) {
          const loader = ATTRIBUTES[type];
          if (loader !== undefined)
            return { contents: data === 'whole' ? contents : namesIn(contents, loader), loader };
          return error(`${name} is imported with { type: '${type}' }: the types are 'json', 'text' and 'bytes'`);
        }
        const extension = SOURCE_EXTENSIONS.find(each => each === extname(path));
        if (extension === undefined) {
          const loader = ASSETS[extname(path)] ?? (extname(path) === '.json' ? 'json' : 'default');
          return { contents: data === 'whole' ? contents : namesIn(contents, loader), loader };
        }
        const file: ScriptFile = { name, text: contents.toString(), loader: SCRIPTS[extension], tsconfig };
        const errors = await refusedUses(file);
        if (errors.length > 0) return { errors };
        return hasDecorators(file) ? withDecoratorMetadata(file) : { contents, loader: SCRIPTS[extension] };
      });
    },
  };
}

/** A file that exports the same names: an object exports its keys. What can't be read stays, for esbuild to report. */
function namesIn(contents: Buffer, loader: Loader): Buffer | string {
  if (loader === 'text' || loader === 'binary') return '';
  if (loader !== 'json') return contents;
  try {
    const value: unknown = JSON.parse(contents.toString());
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return JSON.stringify(isObject ? Object.fromEntries(Object.keys(value).map(name => [name, 0])) : 0);
  } catch {
    return contents;
  }
}

function error(text: string): OnLoadResult {
  return { errors: [{ text } satisfies PartialMessage] };
}
