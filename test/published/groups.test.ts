import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { type Block, blocksOf, readPage } from '../unit/docs/pages.ts';
import { Project } from './project.ts';

const MODULES = {
  prices: `const prices = new Map([['apple', 3]]);\nexport const of = (name: string): number => prices.get(name) ?? 0;\n`,
  shop: `import { of } from 'hot:prices';\n\nexport const total = (name: string, count: number): number => count * of(name);\n`,
  ticker: `const data = import.meta.hot.dataOf({ ticks: 0 });\nsetInterval(() => (data.ticks += 1), 1000);\nexport const ticks = (): number => data.ticks;\n`,
};

const blocks = blocksOf(readPage('docs/groups.md'));

/** The blocks for a shell, without empty lines. */
const typed = blocks.filter(({ language }) => language === 'sh').map(linesOf);

function linesOf({ lines }: Block): string[] {
  return lines.filter(line => line !== '');
}

/** A table without its revisions and the widths of its columns. */
function shapeOf(text: string): string[] {
  const lines = text.split('\n').filter(line => line !== '');
  return lines.map(line => line.replaceAll(/\b[0-9a-f]{12}\b/g, 'revision').replaceAll(/ +/g, ' '));
}

describe('docs/groups.md, in a project that has only the packed packages', { timeout: 600_000 }, () => {
  const project = new Project('kinds');
  afterAll(() => project[Symbol.asyncDispose]());
  const [start = [], call = [], canary = []] = typed;

  it('puts each module on the nodes of its groups', async () => {
    await project.sh('npm create hotcast@latest kinds -- --yes', project.around);
    for (const name of ['demo', 'counter']) rmSync(join(project.folder, 'modules', `${name}.ts`));
    for (const [name, source] of Object.entries(MODULES)) project.write(`modules/${name}.ts`, source);
    for (const { lines } of blocks) {
      const [, file] = /^(?:\/\/|#) (\S+\.\w+)$/.exec(lines[0] ?? '') ?? [];
      if (file !== undefined) project.write(file, lines.slice(1).join('\n'));
    }
    expect(start).toHaveLength(4);
    await project.sh(start.slice(0, 3));
    const table = blocks.find(({ language }) => language === 'text')?.lines.join('\n') ?? '';
    expect(shapeOf(await project.sh(start.slice(3)))).toEqual(shapeOf(table));
  });

  it('calls a module where it is, and tries one on a share of a group', async () => {
    expect(call).toHaveLength(2);
    const ticks = JSON.parse(await project.sh(`${call[0]} --json`)) as {
      readonly nodes: readonly { readonly node: string }[];
    };
    expect(ticks.nodes.map(({ node }) => node)).toEqual(['worker-1', 'worker-2']);
    expect(await project.sh(call.slice(1))).toMatch(/^fred +3\nbambam +3\nbetty +3\n$/);
    project.edit('modules/prices.ts', text => text.replace('3', '4'));
    expect(await project.sh(canary)).toContain('promote committed');
    expect(await project.call('prices.of("apple")')).toEqual([4, 4, 4, 4, 4]);
  });

  it('ends a node whose HOTCAST_GROUP is not its service', async () => {
    project.edit('groups.yaml', text => text.replace('HOTCAST_GROUP: worker', 'HOTCAST_GROUP: web'));
    await project.sh('docker compose up --detach --scale node=3');
    await expect
      .poll(() => project.sh('docker compose logs worker'), { timeout: 60_000 })
      .toMatch(
        /HOTCAST_GROUP is web, but this node is worker-\d, of the service worker: give the service the name of its group/,
      );
    await project.sh('docker compose down --volumes --timeout 2');
  });
});
