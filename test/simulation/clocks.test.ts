import { describe, expect, it, vi } from 'vitest';

import { Cluster } from './cluster.ts';
import type { Order } from './controller-process.ts';
import { FIRST_NODES } from './orders.ts';
import { sourceOf } from './source.ts';

const HOUR = 3_600_000;

const push = (version: number): Order & { readonly type: 'push' } => ({
  type: 'push',
  sources: [sourceOf({ module: 'demo', version, throwsOn: [], isBroken: false, needs: [], mentions: [] })],
  canary: null,
});
const rollback: Order = { type: 'rollback', modules: ['demo'] };
const remove: Order = { type: 'remove', modules: ['demo'] };
const repair: Order = { type: 'repair', modules: ['demo'] };
const clear: Order = { type: 'clear', modules: ['demo'] };

async function inCluster(run: (cluster: Cluster) => Promise<void>): Promise<void> {
  // The laws of heads.test.ts know of no stream that is lost.
  using cluster = new Cluster(() => undefined);
  for (const name of FIRST_NODES) await cluster.start(name);
  await run(cluster);
}

/** The revisions that the nodes run. */
const running = ({ nodes }: Cluster) =>
  new Set([...nodes.values()].map(node => node.running('demo')?.revision ?? null));

const revisionOf = (order: ReturnType<typeof push>) => new Set([order.sources[0]?.bundle.revision]);

/** Has every kind of change happen, and a node start anew. */
async function changesReachEveryNode(cluster: Cluster, first: number): Promise<void> {
  const [older, newer] = [push(first), push(first + 1)];
  for (const order of [older, newer]) {
    expect(await cluster.carryOut([order])).toEqual(['committed']);
    expect(running(cluster)).toEqual(revisionOf(order));
  }
  expect(await cluster.carryOut([rollback])).toEqual(['committed']);
  expect(running(cluster)).toEqual(revisionOf(older));
  await cluster.start('fred');
  expect(running(cluster)).toEqual(revisionOf(older));
  expect(await cluster.carryOut([{ ...newer, canary: 'fred' }])).toEqual(['committed']);
  expect(await cluster.carryOut([{ type: 'promote', modules: ['demo'] }])).toEqual(['committed']);
  expect(running(cluster)).toEqual(revisionOf(newer));
  expect(await cluster.carryOut([remove])).toEqual(['committed']);
  expect(running(cluster)).toEqual(new Set([null]));
}

describe('whatever the clock of a controller says', () => {
  it.each([
    ['ahead', HOUR],
    ['behind', -HOUR],
  ])('an hour %s for one push, and then right: every later change reaches every node', async (_, offset) => {
    await inCluster(async cluster => {
      await cluster.carryOut([push(1)]);
      const now = Date.now();
      vi.setSystemTime(now + offset);
      expect(await cluster.carryOut([push(2)])).toEqual(['committed']);
      vi.setSystemTime(now);
      await changesReachEveryNode(cluster, 3);
    });
  });
});

describe('when the stream is lost, and its controller too', () => {
  it.each([
    ['right', 0],
    ['an hour behind', -HOUR],
  ])('a push is newer than all that the nodes have seen, also with a clock that is %s', async (_, offset) => {
    await inCluster(async cluster => {
      for (const version of [1, 2, 3]) await cluster.carryOut([push(version)]);
      cluster.stream.wipe();
      vi.setSystemTime(Date.now() + offset);
      await changesReachEveryNode(cluster, 4);
    });
  });
});

describe('when an older stream is put back, and nodes have seen newer heads', () => {
  it.each<[string, readonly Order[], number | null]>([
    ['a rollback', [rollback], 1],
    ['a removal', [remove], null],
    ['a removal with the state', [clear], null],
    ['a push', [push(5)], 5],
    ['a repair', [repair], 2],
  ])('%s reaches every node', async (_, orders, version) => {
    await inCluster(async cluster => {
      for (const each of [1, 2]) await cluster.carryOut([push(each)]);
      const backup = cluster.stream.backup();
      for (const each of [3, 4]) await cluster.carryOut([push(each)]);
      cluster.stream.restore(backup);
      for (const order of orders) expect(await cluster.carryOut([order])).toEqual(['committed']);
      expect(running(cluster)).toEqual(version === null ? new Set([null]) : revisionOf(push(version)));
    });
  });

  it('a repair takes the previous revision where the bundle is gone, and says so where none is left', async () => {
    await inCluster(async cluster => {
      for (const each of [1, 2]) await cluster.carryOut([push(each)]);
      const backup = cluster.stream.backup();
      await cluster.carryOut([push(3)]);
      cluster.stream.restore(backup);
      for (const { bundle } of push(2).sources) cluster.stream.removeBundle('demo', bundle.revision);
      expect(await cluster.carryOut([repair])).toEqual(['committed']);
      expect(running(cluster)).toEqual(revisionOf(push(1)));
      expect(cluster.stream.lastHead('demo').head).toMatchObject({ sequence: 4, note: 'repair' });
      for (const { bundle } of push(1).sources) cluster.stream.removeBundle('demo', bundle.revision);
      expect(await cluster.carryOut([repair])).toEqual(['unusable']);
      cluster.stream.wipe();
      expect(await cluster.carryOut([repair])).toEqual(['unusable']);
    });
  });

  it('the controller rolls back by itself to what every node takes', async () => {
    await inCluster(async cluster => {
      await cluster.carryOut([push(1)]);
      await cluster.carryOut([{ ...push(2), canary: 'fred' }]);
      const { head } = cluster.stream.lastHead('demo');
      if (head === null) throw new Error('the canary has no head');
      const backup = cluster.stream.backup();
      await cluster.carryOut([{ ...push(3), canary: 'fred' }]);
      cluster.stream.restore(backup);
      expect(await cluster.carryOut([{ type: 'end canary', head, modules: ['demo'] }])).toEqual(['rolled-back']);
      expect(running(cluster)).toEqual(revisionOf(push(1)));
    });
  });
});
