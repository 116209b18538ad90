import { symlinkSync } from 'node:fs';

import { blocksOf, readPage } from '../unit/docs/pages.ts';
import { ROOT, run } from './shell.ts';

/** Has tests find the packages of this repository, as TypeScript. */
const CONFIG = `
  import { mergeConfig } from 'vitest/config';
  import users from './vitest.config.ts';

  export default mergeConfig(users, {
    resolve: { alias: { '@hotcast/testing': '${ROOT}/packages/testing/src/index.ts' } },
  });
`;

/** The files of docs/testing.md, by their paths. */
export function filesOfPage(): Record<string, string> {
  const texts = blocksOf(readPage('docs/testing.md')).map(({ lines }) => lines.join('\n'));
  return Object.fromEntries(
    texts.flatMap(text => {
      const path = /^\/\/ (\S+\.ts)\n/.exec(text)?.[1];
      return path === undefined
        ? []
        : [[path, text.replace('@hotcast/testing/vitest', `${ROOT}/packages/testing/src/vitest.ts`)]];
    }),
  );
}

/**
 * Runs vitest on a test of a project, and returns what it prints.
 *
 * @param project writes files, and returns the modules folder.
 */
export async function runVitest(
  project: (files: Readonly<Record<string, string>>) => string,
  files: Readonly<Record<string, string>>,
  test: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const own = { 'package.json': '{ "type": "module" }', 'ours.config.ts': CONFIG, 'node_modules/.keep': '' };
  const root = `${project({ ...own, ...files })}/..`;
  symlinkSync(`${ROOT}/node_modules/vitest`, `${root}/node_modules/vitest`);
  const args = ['node_modules/vitest/vitest.mjs', 'run', test, '--root', root, '--config', `${root}/ours.config.ts`];
  const { stdout, stderr } = await run('node', args, { ...env, NO_COLOR: '1' });
  return stdout + stderr;
}
