import { describe, expect } from 'vitest';

import { clusterState } from '../../../support/cluster/cluster-state.ts';
import { it } from './cluster.ts';

describe('push --dry-run', () => {
  it('shows for each node whether the new version would load its state, and changes nothing', async ({ cluster }) => {
    const counter = `
      const { data } = import.meta.hot;
      export function add() { return (data.count = (data.count ?? 0) + 1); }
    `;
    cluster.writeModule('migrated', counter);
    await cluster.push('migrated');
    await cluster.call('migrated.add()', '--node', 'fred');
    const before = await clusterState(cluster);
    cluster.writeModule(
      'migrated',
      `export function codeChange(old) { if (old.count === 1) throw new RangeError('not from one'); return {}; }
       setInterval(() => console.log('from the dry run'), 1);${counter}`,
    );
    const { exitCode, stdout, stderr } = await cluster.hotcast('push', 'migrated', '--dry-run');
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    expect(stdout).toMatch(
      /^fred    would be refused: on_load_failure: RangeError: not from one\nbambam  would load\nbetty   would load\nmigrated@[0-9a-f]{12} would load on 2 of 3; nothing was changed\n$/,
    );
    expect(await clusterState(cluster)).toEqual(before);
    const { result } = await cluster.call('migrated.add()');
    expect(result.nodes).toMatchObject([{ json: '2' }, { json: '1' }, { json: '1' }]);
    expect((await cluster.logsOf('bambam')).filter(({ msg }) => msg === 'from the dry run')).toEqual([]);

    // bambam and betty now have the count that fred had.
    expect(await cluster.hotcast('push', 'migrated', '--dry-run')).toMatchObject({ exitCode: 1 });
    for (const node of ['bambam', 'betty']) await cluster.call('migrated.add()', '--node', node);
    expect(await cluster.hotcast('push', 'migrated', '--dry-run')).toMatchObject({ exitCode: 0 });
    expect(await clusterState(cluster)).toEqual(before);
    expect(await cluster.hotcast('push', 'migrated')).toMatchObject({ exitCode: 0 });
    // What it logs would be in the shells of other tests, which also push all modules.
    cluster.writeModule('migrated', counter);
    await cluster.push('migrated');
  });

  it('of a module that the preflight refuses sends nothing', async ({ cluster }) => {
    cluster.writeModule('bad-dry', `throw new Error('no'); export const answer = 1;`);
    expect(await cluster.hotcast('push', 'bad-dry', '--dry-run')).toMatchObject({ exitCode: 2, stdout: '' });
    expect(await cluster.hotcast('push', 'demo', '--dry-run', '--canary', '1')).toMatchObject({
      exitCode: 2,
      stdout: '',
    });
  });
});
