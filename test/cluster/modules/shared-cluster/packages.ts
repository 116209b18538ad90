import { describe, expect } from 'vitest';

import { Terminal } from '../../../support/docker/terminal.ts';
import { it } from './cluster.ts';
import { valueOnFred } from './fred.ts';

describe('an npm package', () => {
  it('is loaded once for all modules and versions', async ({ cluster }) => {
    const install = (version: string): void => {
      cluster.writeFile(
        'node_modules/tally/package.json',
        JSON.stringify({ name: 'tally', version, type: 'module', exports: './tally.js' }),
      );
      cluster.writeFile('node_modules/tally/data.txt', `tally ${version}`);
      cluster.writeFile(
        'node_modules/tally/tally.js',
        `import { readFileSync } from 'node:fs';
         let count = 0;
         export const next = () => (count += 1);
         export const text = readFileSync(new URL('data.txt', import.meta.url), 'utf8');`,
      );
      cluster.writeFile('node_modules/tally/tally.d.ts', `export const next: () => number; export const text: string;`);
    };
    const write = (name: string, more = ''): void =>
      cluster.writeModule(
        name,
        `// @ts-nocheck\nimport { next, text } from 'tally';\nexport const count = () => [next(), text];${more}`,
      );
    install('1.0.0');
    write('one');
    write('two');
    expect((await cluster.pushTogether(['one', 'two'])).exitCode).toBe(0);
    expect(await valueOnFred(cluster, 'one.count()')).toEqual([1, 'tally 1.0.0']);
    expect(await valueOnFred(cluster, 'two.count()')).toEqual([2, 'tally 1.0.0']);
    write('one', '\n// edited');
    expect((await cluster.push('one')).exitCode).toBe(0);
    expect(await valueOnFred(cluster, 'one.count()')).toEqual([3, 'tally 1.0.0']);
    // A new version of the package runs beside the old one, which two still uses.
    install('1.1.0');
    expect((await cluster.push('one')).exitCode).toBe(0);
    expect(await valueOnFred(cluster, 'one.count()')).toEqual([1, 'tally 1.1.0']);
    expect(await valueOnFred(cluster, 'two.count()')).toEqual([4, 'tally 1.0.0']);
    await cluster.hotcast('remove', 'one', 'two');
  });

  it('is in a line of the shell, also if no module has it', async ({ cluster }) => {
    cluster.writeFile('node_modules/abacus/package.json', JSON.stringify({ name: 'abacus', version: '1.0.0' }));
    cluster.writeFile('node_modules/abacus/index.js', `exports.sum = (...all) => all.reduce((x, y) => x + y);`);
    const shell = await Terminal.start(await cluster.container('controller'), ['hotcast', 'shell', '--node', 'fred']);
    await shell.shows(/1>$/);
    expect(await shell.type(`require('abacus').sum(1, 2, 3)`)).toBe('6');
    expect(await shell.type(`(await import('abacus')).sum(4, 5)`)).toBe('9');
    expect(await shell.type(`require('nothing')`)).toBe(
      '** there is no package nothing; install it: npm install --prefix modules nothing',
    );
    await shell.press('q().', '\r');
    expect(await shell.exitStatus()).toBe(0);
  });

  it('is refused by name where it is external and the image of the nodes lacks it, and sent where it is not', async ({
    cluster,
  }) => {
    cluster.writeFile('hotcast.config.ts', `export default { external: ['addon'] };`);
    cluster.writeFile('node_modules/addon/package.json', JSON.stringify({ name: 'addon', version: '2.1.0' }));
    cluster.writeFile('node_modules/addon/index.js', `exports.size = 7;`);
    const source = `// @ts-nocheck\nimport { size } from 'addon';\nexport const doubled = () => size * 2;`;
    cluster.writeModule('picture', source);
    const { exitCode, stdout } = await cluster.hotcast('push', 'picture');
    const lacks = 'refused +nofile: the image of the node lacks addon 2\\.1\\.0: add addon@2\\.1\\.0 to NODE_PACKAGES';
    for (const node of cluster.nodeNames) expect(stdout).toMatch(new RegExp(`^${node} +${lacks}`, 'm'));
    expect([exitCode, stdout]).toEqual([1, expect.stringContaining('nothing changed on any node')]);
    cluster.writeFile('hotcast.config.ts', 'export default {};');
    expect((await cluster.push('picture')).exitCode).toBe(0);
    expect(await valueOnFred(cluster, 'picture.doubled()')).toBe(14);
    await cluster.hotcast('remove', 'picture');
  });
});
