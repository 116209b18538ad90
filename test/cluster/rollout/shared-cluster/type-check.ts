import { describe, expect } from 'vitest';

import type { Cluster } from '../../../support/cluster/cluster.ts';
import { clusterState } from '../../../support/cluster/cluster-state.ts';
import { it } from './cluster.ts';

describe('type check', () => {
  /** Runs hotcast without the option --no-check, which all other tests use. */
  const checked = (cluster: Cluster, ...args: string[]) => cluster.exec('controller', ['hotcast', ...args]);

  it('shows file, line and caret of a type error, and sends nothing', async ({ cluster }) => {
    await cluster.push('demo');
    cluster.writeModule('typed', `import { add } from 'hot:demo';\n\nexport const sum = () => add(1, 'two');\n`);
    const before = await clusterState(cluster);
    for (const command of [
      ['push', 'typed'],
      ['compile', 'typed', '--node', 'fred'],
    ]) {
      expect(await checked(cluster, ...command)).toMatchObject({
        exitCode: 2,
        stdout: '',
        stderr: [
          'hotcast: typed: a type error; nothing was sent (--no-check pushes all the same)',
          `modules/typed.ts:3:33: Argument of type 'string' is not assignable to parameter of type 'number'. (TS2345)`,
          `  3 | export const sum = () => add(1, 'two');`,
          `                                      ^^^^^`,
          '',
        ].join('\n'),
      });
    }
    expect(await clusterState(cluster)).toEqual(before);
    expect(await checked(cluster, 'push', 'typed', '--no-check')).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('reads changed files again, and knows the types of Node.js and of import.meta.hot', async ({ cluster }) => {
    const source = `
      import { readFile } from 'node:fs/promises';
      import { name } from './parts/name.ts';
      export const text = async (): Promise<string> => name + (await readFile('/etc/hostname', 'utf8'));
      const timer: NodeJS.Timeout = setTimeout(() => undefined, 1_000);
      import.meta.hot.dispose(() => clearTimeout(timer));
    `;
    cluster.writeFile('parts/name.ts', 'export const name: number = 1;\n');
    cluster.writeModule('whole', source);
    expect(await checked(cluster, 'push', 'whole')).toMatchObject({ exitCode: 0, stderr: '' });
    cluster.writeFile('parts/name.ts', 'export const name: number = "x";\n');
    const wrong = await checked(cluster, 'push', 'whole');
    expect(wrong.exitCode).toBe(2);
    expect(wrong.stderr).toContain('modules/parts/name.ts:1:14: ');
    cluster.writeFile('parts/name.ts', 'export const name = "x";\n');
    expect(await checked(cluster, 'push', 'whole')).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('does not report errors in modules that are not pushed', async ({ cluster }) => {
    cluster.writeModule('other', 'export const wrong: number = "x";\n');
    expect(await checked(cluster, 'push', 'demo')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await checked(cluster, 'push', 'demo', 'other')).toMatchObject({ exitCode: 2, stdout: '' });
  });
});
