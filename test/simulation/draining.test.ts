import { describe, expect, it } from 'vitest';

import { HEARTBEAT_INTERVAL } from '../../protocol/limits.ts';
import { inCluster, push } from './in-cluster.ts';
import { MAX_DRAINING } from './node-model.ts';
import { definitely } from './source.ts';

const demo = (version: number) => push({ module: 'demo', version });

describe('a node on which as many versions of a module drain as can', () => {
  const revisionOf = ({ sources }: ReturnType<typeof push>) => definitely(sources[0]).bundle.revision;

  it('does not load what it missed, and loads it when one of them has closed', async () => {
    await inCluster(async cluster => {
      const fred = definitely(cluster.nodes.get('fred'));
      for (let version = 0; version < MAX_DRAINING; version += 1) {
        await cluster.carryOut([demo(version)]);
        await cluster.call('fred', 'demo', { function: 'call', inside: 'demo' });
      }
      await cluster.carryOut([demo(MAX_DRAINING)]);
      cluster.network.setLink('fred', 'cut');
      await cluster.carryOut([demo(MAX_DRAINING + 1)]);
      cluster.network.setLink('fred', 'open');
      await cluster.startReconciler();
      await cluster.tick(HEARTBEAT_INTERVAL);
      expect(fred.describe().draining).toHaveLength(MAX_DRAINING);
      expect(fred.describe().refusals['demo']?.reason).toBe('not_purged');
      expect(fred.running('demo')?.revision).toBe(revisionOf(demo(MAX_DRAINING)));

      await cluster.endCall(definitely(cluster.calls[0]));
      await cluster.pass(2_000);
      expect(fred.describe().refusals).toEqual({});
      expect(fred.running('demo')?.revision).toBe(revisionOf(demo(MAX_DRAINING + 1)));
    });
  });
});

it('only a push with --force purges all that drains; what is no push makes room', async () => {
  await inCluster(async cluster => {
    await cluster.carryOut([demo(1)]);
    await cluster.carryOut([{ ...demo(2), force: true }]);
    await cluster.carryOut([{ ...demo(3), canary: 'fred' }]);
    for (const type of ['promote', 'rollback', 'remove'] as const)
      await cluster.carryOut([{ type, modules: ['demo'] }]);
    expect(cluster.stream.history('demo').map(({ note, force, makeRoom }) => [note, force, makeRoom])).toEqual([
      ['push', false, false],
      ['push', true, false],
      ['canary on fred', false, false],
      ['promote', false, true],
      ['rollback', false, true],
      ['remove', false, true],
    ]);
  });
});
