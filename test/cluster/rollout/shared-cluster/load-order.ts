import { describe, expect } from 'vitest';

import type { Cluster } from '../../../support/cluster/cluster.ts';
import { it } from './cluster.ts';

/** A module that others call or extend. */
const core = (version: number): string => `
  export class Core { version = ${version}; }
  export const version = () => ${version};
`;

/** A module whose top level uses another one. */
const top = (imported: string): string => `
  import { Core, version } from 'hot:${imported}';
  const seen = version();
  if (typeof seen !== 'number') throw new TypeError('not the real module');
  class Top extends Core {}
  export const answer = () => [seen, new Top().version];
`;

const USERS = Array.from({ length: 30 }, (_, index) => `user-${index}`);

/** Pushes the next version of a module that others import. */
async function pushNext(cluster: Cluster, module: string): Promise<void> {
  cluster.writeModule(module, core(2));
  expect(await cluster.push(module)).toMatchObject({ exitCode: 0 });
}

describe('modules that use each other while they load', () => {
  it('can be the first that are pushed together, in any order', async ({ cluster }) => {
    cluster.writeModule('barcore', core(1));
    cluster.writeModule('bartop', top('barcore'));
    const dryRun = await cluster.hotcast('push', 'bartop', 'barcore', '--dry-run');
    expect(dryRun).toMatchObject({ exitCode: 0, stderr: '' });
    const pushed = await cluster.hotcast('push', 'bartop', 'barcore');
    expect(pushed).toMatchObject({ exitCode: 0, stderr: '' });
    const { result } = await cluster.call('bartop.answer()');
    expect(result.nodes).toMatchObject(cluster.nodeNames.map(() => ({ json: '[1,1]' })));
  });

  it('are all loaded by a node that restarts, also when a module came later than its importers', async ({
    cluster,
  }) => {
    cluster.writeModule('deps', core(1));
    cluster.writeModule('lone', core(1));
    for (const user of USERS) cluster.writeModule(user, top('deps'));
    cluster.writeModule('loner', top('lone'));
    expect(await cluster.pushTogether(['deps', 'lone'])).toMatchObject({ exitCode: 0 });
    expect(await cluster.pushTogether(USERS)).toMatchObject({ exitCode: 0 });
    expect(await cluster.push('loner')).toMatchObject({ exitCode: 0 });
    await pushNext(cluster, 'deps');
    await cluster.hotcast('remove', 'lone');

    await cluster.kill('betty');
    await cluster.startContainer('betty');
    const { fred, betty } = await cluster.revisions();
    const { loner, ...others } = fred ?? {};
    expect(loner).toBeDefined();
    expect(betty).toEqual(others);
    expect(Object.keys(others)).toEqual(expect.arrayContaining(USERS));

    // What it could not load, it says, and tries again.
    const { stdout, exitCode } = await cluster.hotcast('status', '--verbose');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(
      /^loner +betty +[0-9a-f]{12} +- +refused: on_load_failure: undef: no export version of module lone is loaded \(tried (once|\d+ times), next try in \d+ s\)$/m,
    );
    await pushNext(cluster, 'lone');
    const { result } = await cluster.call('loner.answer()', '--node', 'betty');
    expect(result.nodes).toMatchObject([{ json: '[2,2]' }]);
    expect((await cluster.status()).result.nodes.filter(({ module }) => module === 'loner')).toMatchObject(
      cluster.nodeNames.map(() => ({ state: 'ok' })),
    );
  });
});
