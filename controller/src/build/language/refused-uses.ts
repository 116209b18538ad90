import type { PartialMessage } from 'esbuild';

import { positionOf } from './position.ts';
import { type ScriptFile, toJavaScript } from './script-file.ts';

const OWN_FILE = String.raw`(?:import\.meta\.(?:url|filename)|__filename)\b`;
const FILE = String.raw`(?<quote>['"\`])(?<file>\.{1,2}\/[^'"\`]*[^'"\`\/.])\k<quote>`;

/** What a file can't use, because a node has nothing for it, and what to do instead. */
const REFUSED: readonly { readonly use: RegExp; readonly why: (found: Readonly<Record<string, string>>) => string }[] =
  [
    {
      use: new RegExp(String.raw`\bnew\s+Worker\(\s*new\s+URL\(\s*${FILE}\s*,\s*${OWN_FILE}`, 'g'),
      why: ({ file = '' }) =>
        `a worker can't load ${file}, because only what is imported is sent to the nodes: start it from its text, ` +
        `import code from '${file.replace(/\.[mc]?[jt]sx?$/, '.txt')}' (JavaScript) and new Worker(code, { eval: true }), ` +
        `and end it with import.meta.hot.dispose`,
    },
    {
      use: new RegExp(String.raw`(?<!Worker\(\s*)\bnew\s+URL\(\s*${FILE}\s*,\s*${OWN_FILE}`, 'g'),
      why: ({ file = '' }) =>
        `${file} is not sent to the nodes: import it (import text from '${file}' with { type: 'text' }, or 'bytes')`,
    },
    {
      use: new RegExp(String.raw`\bcreateRequire\(\s*(?:${OWN_FILE})`, 'g'),
      why: () =>
        'createRequire finds no files and no packages on a node: write import or require() themselves, which are compiled into the module',
    },
    {
      use: /\brequire\.resolve\b/g,
      why: () =>
        'require.resolve finds nothing on a node, because files and packages are compiled into the module: import what is needed',
    },
    {
      use: /\bimport\.meta\b(?!\.(?:hot|url|dirname|filename|main)\b)(?:\.(?<name>\w+))?/g,
      why: ({ name }) => {
        if (name === undefined)
          return 'import.meta is no value in a module: use import.meta.hot, .url, .dirname, .filename or .main';
        const instead =
          name === 'env' ? 'use process.env' : 'a module has import.meta.hot, .url, .dirname, .filename and .main';
        return `import.meta.${name} is not there on a node: ${instead}`;
      },
    },
  ];

/** An error for each use of what has no meaning on a node. Comments do not count. */
export async function refusedUses(file: ScriptFile): Promise<PartialMessage[]> {
  const { name, text } = file;
  const found = REFUSED.flatMap(({ use, why }) => [...text.matchAll(use)].map(match => ({ use, why, match })));
  if (found.length === 0) return [];
  const code = await toJavaScript(file);
  return found
    .filter(({ use }) => code !== null && code.search(use) >= 0)
    .map(({ why, match }) => ({
      text: why(match.groups ?? {}),
      location: positionOf(name, text, match.index, match[0].length),
    }));
}
