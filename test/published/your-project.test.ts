import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { type Block, blocksOf, readPage } from '../unit/docs/pages.ts';
import { Project } from './project.ts';

const yours = readPage('docs/your-project.md');
const testing = readPage('docs/testing.md');

/** The lines of a page's blocks for a shell. */
const shellBlocks = (blocks: readonly Block[]): string[][] =>
  blocks.filter(({ language }) => language === 'sh').map(({ lines }) => lines.filter(line => line !== ''));

/** The files in the table of the page. */
const named = [...yours.text.matchAll(/^\| `([\w./-]+)`/gm)]
  .map(([, path = '']) => path)
  .filter(each => each.includes('.') || each.endsWith('/'));

describe('the pages, in a project that has only the packed packages', { timeout: 600_000 }, () => {
  const project = new Project('my-fleet');
  afterAll(() => project[Symbol.asyncDispose]());
  const [begin = [], push = [], edit = [], add = []] = shellBlocks(blocksOf(yours));

  it('docs/your-project.md: three commands make and start a project with the files that the page explains', async () => {
    expect(begin).toHaveLength(3);
    await project.sh(begin, project.around);
    for (const path of named) expect(existsSync(join(project.folder, path)), path).toBe(true);
    await project.sh('npm run check');
    // A healthy start logs no error.
    expect(await project.sh('docker compose logs --no-log-prefix node')).not.toContain('"stack"');
  });

  // Where a reaper runs, testcontainers takes that one.
  it.runIf(process.env['TESTCONTAINERS_RYUK_DISABLED'] === 'true')(
    'names the image of a reaper that is not there',
    async () => {
      const settings = 'TESTCONTAINERS_RYUK_DISABLED=false RYUK_CONTAINER_IMAGE=hotcast-test-none/ryuk:0.0.0';
      const { exitCode, stdout, stderr } = await project.try(`${settings} npx vitest run test/fleet.test.ts`);
      expect(exitCode).toBe(1);
      expect(stdout + stderr).toMatch(
        /reaper, .* did not start from the image hotcast-test-none\/ryuk:0\.0\.0 .*TESTCONTAINERS_RYUK_DISABLED=true/s,
      );
    },
  );

  it('docs/your-project.md: pushes and calls, pushes an edit, and tests', async () => {
    expect(push).toHaveLength(3);
    await project.sh(push);
    expect(await project.call('demo.add(4, 5)')).toEqual([9, 9, 9]);
    project.edit('modules/counter.ts', text => text.replace('by = 1', 'by = 10'));
    expect(edit.slice(2)).toEqual(['npm test', 'npm run down']);
    expect(await project.sh(edit.slice(0, 2))).toMatch(/\b11\b/);
    await project.sh(edit.slice(2, 3));
    // Its test is that in add.test.ts.
    expect(add).toEqual(['npm create hotcast@latest -- --add']);
  });

  it('docs/testing.md: its commands and its tests', async () => {
    const blocks = blocksOf(testing);
    for (const { lines } of blocks) {
      const [, file] = /^\/\/ (\S+)$/.exec(lines[0] ?? '') ?? [];
      if (file !== undefined) project.write(file, lines.slice(1).join('\n'));
    }
    const typed = blocks.flatMap(({ language, lines }) => (language === 'console' ? lines : []));
    for (const line of typed) if (line.startsWith('$ npm')) await project.sh(line.slice(2));
    for (const lines of shellBlocks(blocks)) await project.sh(lines);
    await project.sh(['npm run check', 'npx vitest run']);
  });

  it('docs/your-project.md: ends', async () => {
    await project.sh(edit.slice(3));
  });
});
