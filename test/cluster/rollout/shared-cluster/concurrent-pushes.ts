import { describe, expect } from 'vitest';

import { shortRevision } from '../../../../protocol/revision.ts';
import { runningRevisions, waitForConvergence } from '../../../support/cluster/convergence.ts';
import { versionSource } from '../../../support/cluster/module-sources.ts';
import { PushObserver } from '../../../support/cluster/push-observer.ts';
import { SubjectRecorder } from '../../../support/cluster/subject-recorder.ts';
import { pause } from '../../../support/docker/pause.ts';
import { it } from './cluster.ts';

describe('concurrent pushes of one controller', () => {
  it('end with every node on the revision that was committed first, and the other push is overtaken', async ({
    cluster,
  }) => {
    cluster.writeModule('duel', versionSource('none'));
    await cluster.push('duel');
    await using recorder = await SubjectRecorder.start(await cluster.natsOptions(), '>');
    const bambam = await cluster.container('bambam');

    // The paused node keeps the first push between prepare and commit.
    await pause(bambam);
    cluster.writeModule('duel', versionSource('slower'));
    const sent = recorder.next(`hotcast.${cluster.cookie}.bundle.duel.*`);
    const slower = cluster.hotcast('push', 'duel', '--timeout', '60');
    await sent;
    cluster.writeModule('duel', versionSource('faster'));
    const faster = await cluster.push('duel', '--timeout', '3');
    expect(faster).toMatchObject({ exitCode: 3, result: { outcome: 'committed' } });
    await bambam.unpause();

    const { exitCode, stdout, stderr } = await slower;
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    expect(stdout).toMatch(/^duel@[0-9a-f]{12} overtaken$/m);
    expect(stdout).toContain(`push of duel@${shortRevision(faster.revision)} at `);
    await cluster.waitForLog('bambam', ({ msg, module, revision }) => {
      return msg === 'loaded' && module === 'duel' && revision === shortRevision(faster.revision);
    });
    const { result } = await cluster.call('duel.version()');
    expect(result.nodes).toMatchObject(
      cluster.nodeNames.map(node => ({ node, json: '"faster"', revision: faster.revision })),
    );
  });

  it('end with every node on one committed revision, however they overlap', async ({ cluster }) => {
    for (const round of ['a', 'b']) {
      cluster.writeModule('race', versionSource(`${round}1`));
      const first = cluster.push('race');
      cluster.writeModule('race', versionSource(`${round}2`));
      const pushes = await Promise.all([first, cluster.push('race')]);

      const committed = pushes.flatMap(({ result, revision }) => (result.outcome === 'committed' ? [revision] : []));
      expect(committed).not.toEqual([]);
      for (const { result } of pushes) expect(['committed', 'overtaken', 'unchanged']).toContain(result.outcome);
      const revisions = await runningRevisions(cluster, 'race');
      expect(revisions).toHaveLength(1);
      expect(committed).toContain(revisions[0]);
    }
  });
});

describe('concurrent pushes of two controllers', () => {
  it('commit one of the two revisions, and every node ends on it', async ({ cluster }) => {
    await using second = await cluster.addSecondController();
    const fred = await cluster.container('fred');
    cluster.writeModule('contested', versionSource('none'));
    await cluster.push('contested');
    for (const round of ['a', 'b']) {
      await using observer = await PushObserver.start(cluster);
      cluster.writeModule('contested', versionSource(`${round}1`));
      second.writeModule('contested', versionSource(`${round}2`));
      const before = await cluster.history('contested');
      // Both controllers have read the last head, and wait for fred.
      await pause(fred);
      const pushes = [cluster.push('contested', '--timeout', '30').then(({ result }) => result)];
      pushes.push(second.push('contested', '--timeout', '30'));
      try {
        await observer.waitForPrepared(2, 2);
      } finally {
        await fred.unpause();
      }
      const results = await Promise.all(pushes);

      expect(results.map(({ outcome }) => outcome).toSorted()).toEqual(['committed', 'overtaken']);
      const winner = results.find(({ outcome }) => outcome === 'committed')?.modules[0]?.revision;
      const loser = results.find(({ outcome }) => outcome === 'overtaken');
      expect(loser?.detail).toContain(`push of contested@${shortRevision(winner ?? '')} at `);
      expect(loser?.nodes).toEqual([]);
      await waitForConvergence(cluster);
      expect(await runningRevisions(cluster, 'contested')).toEqual([winner]);
      const [newest, ...older] = await cluster.history('contested');
      expect(newest).toMatchObject({ revision: winner, outcome: { verdict: 'committed', loaded: 3 } });
      expect(older).toEqual(before);
    }
  });
});
