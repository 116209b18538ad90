import { posix } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { Message } from 'esbuild';

import { positionOf } from './position.ts';

/** The folder that all nodes have the modules' sources in, as their code sees it. There are no files. */
const NODE_FOLDER = '/hotcast';

/** esbuild writes these in place of a file's own names. They are as long as the variables that replace them. */
export const NAMES = {
  'import.meta.url': '__hotcast_url_0000',
  'import.meta.filename': '__hotcast_file_0000',
  'import.meta.dirname': '__hotcast_folder_0000',
  __filename: '__hotcast_file_0000',
  __dirname: '__hotcast_folder_0000',
  'import.meta.main': 'false',
} as const;

const VARIABLE = /__hotcast_(url|file|folder)_0000/g;

/** Names of which a module most likely reads other files. */
const PATH = /\bimport\.meta\.(?:dirname|filename)\b|\b__(?:dirname|filename)\b/;

/** Compiled code in which files have their names. */
interface NamedCode {
  readonly code: string;
  /** The files that use their path, not only their URL. */
  readonly withPath: readonly string[];
}

/**
 * Gives each file in compiled code its own names: `import.meta.url` and the others of {@link NAMES}. They are the same on every
 * node, whatever folder the controller has. No line and column changes, but those of the first line, which has no code of a file.
 *
 * @param code as esbuild bundles it: it names a file in a comment before its code.
 * @param isFile whether a comment names a file.
 */
export function nameFiles(code: string, isFile: (name: string) => boolean): NamedCode {
  if (code.search(VARIABLE) < 0) return { code, withPath: [] };
  const variables = new Map<string, string>();
  const withPath = new Set<string>();
  let file = '';
  let number = 0;
  const lines = code.split('\n').map(line => {
    const named = /^\/\/ (.+)$/.exec(line)?.[1];
    if (named !== undefined && isFile(named)) {
      file = named;
      number += 1;
    }
    return line.replaceAll(VARIABLE, (_, kind: 'url' | 'file' | 'folder') => {
      const variable = `__hotcast_${kind}_${String(number).padStart(4, '0')}`;
      variables.set(variable, valueOf(kind, file));
      if (kind !== 'url') withPath.add(file);
      return variable;
    });
  });
  const declared = [...variables].map(([variable, value]) => `${variable} = ${JSON.stringify(value)}`).join(', ');
  const [first = '', ...others] = lines;
  const start = first.replace(/^(?:"use strict";)?/, directive => `${directive}var ${declared}; `);
  return { code: [start, ...others].join('\n'), withPath: [...withPath] };
}

function valueOf(kind: 'url' | 'file' | 'folder', file: string): string {
  const path = posix.join(NODE_FOLDER, file);
  if (kind === 'url') return pathToFileURL(path).href;
  return kind === 'file' ? path : posix.dirname(path);
}

/** The warning of a file that uses its path. */
export function pathWarning(file: string, text: string): Pick<Message, 'text' | 'location'> {
  const { 0: name, index } = PATH.exec(text) ?? { 0: 'its path', index: 0 };
  const what = `${name} is a path in ${NODE_FOLDER}, where a node has no files`;
  const remedy = `import what the module reads (import text from './file.sql' with { type: 'text' })`;
  return { text: `${what}: ${remedy}`, location: positionOf(file, text, index, name.length) };
}
