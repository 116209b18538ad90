import { describe, expect } from 'vitest';

import { shortRevision } from '../../../protocol/revision.ts';
import { clusterTest } from '../../support/cluster-test.ts';
import { pause } from '../../support/docker.ts';
import { Wire } from '../../support/wire.ts';

const it = clusterTest({ nodes: 3 });

const version = (name: string): string => `export function version() { return '${name}'; }\n`;

describe('two pushes at once', () => {
  it('end with every node on the faster one, and tell the other who that was', async ({ cluster }) => {
    cluster.writeModule('duel', version('none'));
    await cluster.push('duel');
    await using wire = await Wire.tap(await cluster.natsOptions(), '>');
    const bambam = await cluster.container('bambam');

    // A paused node holds the first push between prepare and commit.
    await pause(bambam);
    cluster.writeModule('duel', version('slower'));
    const sent = wire.next(`hotcast.${cluster.cookie}.bundle.duel.*`);
    const slower = cluster.hotcast('push', 'duel', '--timeout', '60');
    await sent;
    cluster.writeModule('duel', version('faster'));
    const faster = await cluster.push('duel', '--timeout', '3');
    expect(faster).toMatchObject({ exitCode: 3, result: { outcome: 'committed' } });
    await bambam.unpause();

    const { exitCode, stdout, stderr } = await slower;
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    expect(stdout).toMatch(/^duel@[0-9a-f]{12} overtaken$/m);
    expect(stdout).toContain(`was faster: push of duel@${shortRevision(faster.revision)} at `);
    await cluster.logged('bambam', ({ msg, module, revision }) => {
      return msg === 'loaded' && module === 'duel' && revision === shortRevision(faster.revision);
    });
    const { result } = await cluster.call('duel.version()');
    expect(result.nodes).toMatchObject(
      cluster.names.map(node => ({ node, json: '"faster"', revision: faster.revision })),
    );
  });

  it('end with every node on one revision that was committed, however they overlap', async ({ cluster }) => {
    for (const round of ['a', 'b', 'c', 'd']) {
      cluster.writeModule('race', version(`${round}1`));
      const first = cluster.push('race');
      cluster.writeModule('race', version(`${round}2`));
      const pushes = await Promise.all([first, cluster.push('race')]);

      const committed = pushes.flatMap(({ result, revision }) => (result.outcome === 'committed' ? [revision] : []));
      expect(committed).not.toEqual([]);
      for (const { result } of pushes) expect(['committed', 'overtaken']).toContain(result.outcome);
      const running = Object.values(await cluster.revisions()).map(modules => modules?.['race']);
      expect(new Set(running).size).toBe(1);
      expect(committed).toContain(running[0]);
    }
  });
});
