import { describe, expect } from 'vitest';

import { runningRevisions } from '../../../support/cluster/convergence.ts';
import { versionSource } from '../../../support/cluster/module-sources.ts';
import { it } from './cluster.ts';

describe('keys rotate', () => {
  it('lets nodes accept the new key without a restart, and nodes that start later accept the old records', async ({
    cluster,
  }) => {
    cluster.writeModule('kept', versionSource('one'));
    const one = await cluster.push('kept');
    const before = await cluster.nodes();
    const rotated = await cluster.hotcast('keys', 'rotate', '--overlap', '10s');
    expect(rotated).toMatchObject({ exitCode: 0, stderr: '' });
    expect(rotated.stdout).toMatch(/ key [0-9a-f]{16}; /);
    cluster.writeModule('kept', versionSource('two'));
    const two = await cluster.push('kept');
    expect(two.exitCode).toBe(0);
    const startTimes = (nodes: typeof before) => nodes.map(node => (node.status === 'present' ? node.startedAt : null));
    expect(startTimes(await cluster.nodes())).toEqual(startTimes(before));

    await cluster.addNodes(1);
    await expect.poll(() => runningRevisions(cluster, 'kept')).toEqual([two.revision]);
    const rolledBack = await cluster.change('rollback', 'kept');
    expect(rolledBack.result.modules).toEqual([{ module: 'kept', revision: one.revision }]);
    await expect.poll(() => runningRevisions(cluster, 'kept')).toEqual([one.revision]);
    expect((await cluster.nodes()).every(node => node.status === 'present' && node.rejected === 0)).toBe(true);
  });
});
