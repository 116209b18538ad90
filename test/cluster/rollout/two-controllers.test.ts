import { describe, expect } from 'vitest';

import { clusterTest } from '../../support/cluster-test.ts';
import { pause } from '../../support/docker.ts';
import { onHeads, running } from '../../support/on-heads.ts';
import { PushWatch } from '../../support/push-watch.ts';
import { version } from '../../support/sources.ts';

const it = clusterTest({ nodes: 3 });

describe('two controllers of one cookie', () => {
  it('that push at once commit one of two revisions, and every node ends on it', async ({ cluster }) => {
    const rival = await cluster.addRival();
    const fred = await cluster.container('fred');
    cluster.writeModule('duel', version('none'));
    await cluster.push('duel');
    for (const round of ['a', 'b', 'c', 'd']) {
      await using watch = await PushWatch.start(cluster);
      cluster.writeModule('duel', version(`${round}1`));
      rival.writeModule('duel', version(`${round}2`));
      const before = await cluster.history('duel');
      // Both have looked at the last head, and wait for fred.
      await pause(fred);
      const pushes = [cluster.push('duel', '--timeout', '30').then(({ result }) => result)];
      pushes.push(rival.push('duel', '--timeout', '30'));
      try {
        await watch.prepared(2, 2);
      } finally {
        await fred.unpause();
      }
      const results = await Promise.all(pushes);

      expect(results.map(({ outcome }) => outcome).toSorted()).toEqual(['committed', 'overtaken']);
      const winner = results.find(({ outcome }) => outcome === 'committed')?.modules[0]?.revision;
      const loser = results.find(({ outcome }) => outcome === 'overtaken');
      expect(loser?.detail).toContain(`was faster: push of duel@${winner?.slice(0, 12)} at `);
      expect(loser?.nodes).toEqual([]);
      await onHeads(cluster);
      expect(await running(cluster, 'duel')).toEqual([winner]);
      const [newest, ...older] = await cluster.history('duel');
      expect(newest).toMatchObject({ revision: winner, outcome: { verdict: 'committed', loaded: 3 } });
      expect(older).toEqual(before);
    }
  });
});
