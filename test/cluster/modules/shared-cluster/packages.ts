import { describe, expect } from 'vitest';

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
});
