import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { inScope } from '../../protocol/canary-scope.ts';
import type { Head } from '../../protocol/head.ts';
import { HEARTBEAT_INTERVAL } from '../../protocol/limits.ts';
import type { Groups } from '../../protocol/placement/groups.ts';
import { Cluster } from './cluster.ts';
import type { Order } from './controller-process.ts';
import { LINKS } from './network.ts';
import { definitely, sourceOf } from './source.ts';

const WEB: Groups = { names: ['web'], first: true };
const WORKER: Groups = { names: ['worker'], first: false };
const BOTH: Groups = { names: ['web', 'worker'], first: true };
const NODES = ['fred', 'betty', 'worker-1', 'worker-2'];

type Push = Order & { readonly type: 'push' };

function push(version: number, groups: Groups | null, more: Partial<Parameters<typeof sourceOf>[0]> = {}): Push {
  const text = { module: 'demo', version, throwsOn: [], isBroken: false, needs: [], mentions: [], ...more };
  return { type: 'push', sources: [{ ...sourceOf(text), groups }], canary: null };
}

async function inCluster(run: (cluster: Cluster) => Promise<void>): Promise<void> {
  using cluster = new Cluster(() => undefined);
  for (const name of NODES) await cluster.start(name);
  await run(cluster);
}

/** Where the versions of demo run: `{ fred: 1 }`. */
async function running({ nodes }: Cluster, module = 'demo'): Promise<Record<string, unknown>> {
  const answers: Record<string, unknown> = {};
  for (const [name, node] of nodes) {
    const answer = await node.call({ module, function: 'answer', args: [] });
    if (answer.status === 'value') answers[name] = Number(answer.json);
  }
  return answers;
}

/** Nodes that are behind read the stream. */
async function digest(cluster: Cluster): Promise<void> {
  await cluster.startReconciler();
  await cluster.tick(HEARTBEAT_INTERVAL);
  await cluster.pass(HEARTBEAT_INTERVAL);
}

describe('a module with groups', () => {
  it('is on their nodes only, and every node has seen its head', () =>
    inCluster(async cluster => {
      expect(await cluster.carryOut([push(1, WORKER)])).toEqual(['committed']);
      expect(await running(cluster)).toEqual({ 'worker-1': 1, 'worker-2': 1 });
      expect([...cluster.nodes.values()].map(node => node.headSeen('demo'))).toEqual([1, 1, 1, 1]);
      expect(cluster.nodes.get('fred')?.isPrepared('demo', cluster.stream.lastHead('demo').head?.revision ?? '')).toBe(
        false,
      );
    }));

  it('moves when a push names others: who leaves unloads it, who joins loads it', () =>
    inCluster(async cluster => {
      await cluster.carryOut([push(1, null)]);
      expect(Object.keys(await running(cluster))).toEqual(NODES);
      expect(await cluster.carryOut([push(1, WEB)])).toEqual(['committed']);
      expect(await running(cluster)).toEqual({ fred: 1, betty: 1 });
      expect(await cluster.carryOut([push(2, WORKER)])).toEqual(['committed']);
      expect(await running(cluster)).toEqual({ 'worker-1': 2, 'worker-2': 2 });
      expect(await cluster.carryOut([push(2, BOTH)])).toEqual(['committed']);
      expect(Object.keys(await running(cluster))).toEqual(NODES);
    }));

  it('is refused by its nodes only', () =>
    inCluster(async cluster => {
      expect(await cluster.carryOut([push(1, WORKER, { throwsOn: ['fred'] })])).toEqual(['committed']);
      expect(await cluster.carryOut([push(2, WORKER, { throwsOn: ['worker-2'] })])).toEqual(['reverted']);
      expect(await running(cluster)).toEqual({ 'worker-1': 1, 'worker-2': 1 });
    }));

  it('is back where it was when a node of its new groups refuses it', () =>
    inCluster(async cluster => {
      await cluster.carryOut([push(1, WEB)]);
      expect(await cluster.carryOut([push(2, WORKER, { throwsOn: ['worker-1'] })])).toEqual(['reverted']);
      expect(await running(cluster)).toEqual({ fred: 1, betty: 1 });
    }));

  it('is rolled back to where it ran', () =>
    inCluster(async cluster => {
      await cluster.carryOut([push(1, WEB)]);
      await cluster.carryOut([push(2, WORKER)]);
      expect(await cluster.carryOut([{ type: 'rollback', modules: ['demo'] }])).toEqual(['committed']);
      expect(await running(cluster)).toEqual({ fred: 1, betty: 1 });
      expect(await cluster.carryOut([{ type: 'remove', modules: ['demo'] }])).toEqual(['committed']);
      expect(await running(cluster)).toEqual({});
    }));

  it('is unloaded and loaded by nodes that were cut off while it moved', () =>
    inCluster(async cluster => {
      await cluster.carryOut([push(1, WEB)]);
      cluster.network.setLink('betty', 'cut');
      cluster.network.setLink('worker-1', 'cut');
      expect(await cluster.carryOut([push(2, WORKER)])).toEqual(['committed']);
      expect(await running(cluster)).toEqual({ betty: 1, 'worker-2': 2 });
      cluster.network.setLink('betty', 'open');
      cluster.network.setLink('worker-1', 'open');
      await digest(cluster);
      expect(await running(cluster)).toEqual({ 'worker-1': 2, 'worker-2': 2 });
    }));

  it('is loaded by a node that starts, if it is for its group', () =>
    inCluster(async cluster => {
      await cluster.carryOut([push(1, WORKER)]);
      for (const name of ['fred', 'worker-1', 'worker-3', 'barney', 'worker-1-3f2a9c']) await cluster.start(name);
      expect(Object.keys(await running(cluster)).toSorted()).toEqual([
        'worker-1',
        'worker-1-3f2a9c',
        'worker-2',
        'worker-3',
      ]);
    }));

  it('can be pushed with modules of other groups, together', () =>
    inCluster(async cluster => {
      const two = {
        ...push(1, WEB),
        sources: [...push(1, WEB).sources, ...push(5, BOTH, { module: 'greeter' }).sources],
      };
      expect(await cluster.carryOut([two])).toEqual(['committed']);
      expect(await running(cluster)).toEqual({ fred: 1, betty: 1 });
      expect(Object.keys(await running(cluster, 'greeter'))).toEqual(NODES);
    }));

  it('can be tried on a share of one group', () =>
    inCluster(async cluster => {
      await cluster.carryOut([push(1, BOTH)]);
      const groups = { ...push(2, BOTH), canary: '100%' };
      expect(await cluster.carryOut([groups])).toEqual(['committed']);
      expect(await running(cluster)).toEqual({ fred: 2, betty: 2, 'worker-1': 2, 'worker-2': 2 });
      const { head } = cluster.stream.lastHead('demo');
      expect(head?.canary?.scope).toEqual({ type: 'share', upTo: 1, of: BOTH });
    }));

  it('is not pushed past a module that it imports and that is not on all of its nodes', () =>
    inCluster(async cluster => {
      await cluster.carryOut([push(1, WEB)]);
      const mentions = { module: 'greeter', mentions: ['demo'] };
      expect(await cluster.carryOut([push(1, BOTH, mentions)])).toEqual(['unusable']);
      expect(await cluster.carryOut([push(1, WEB, mentions)])).toEqual(['committed']);
      expect(await cluster.carryOut([push(2, WORKER)])).toEqual(['unusable']);
    }));
});

type Step = (cluster: Cluster) => Promise<unknown>;

const oneOf = fc.constantFrom;

const pushes = fc
  .record({
    version: fc.nat(3),
    groups: oneOf(null, WEB, WORKER, BOTH),
    throwsOn: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, fc.subarray(NODES, { minLength: 1, maxLength: 2 })),
    canary: fc.option(oneOf('1', '60%', 'fred', 'worker-1'), { freq: 4 }),
    module: oneOf('demo', 'greeter'),
    steps: fc.option(fc.nat(20), { nil: Infinity }),
  })
  .map(({ version, groups, canary, steps, ...more }): Step => {
    const order = { ...push(version, groups, more), canary };
    return cluster => cluster.carryOut([order], steps);
  });

const others = oneOf<'promote' | 'rollback' | 'remove' | 'repair'>('promote', 'rollback', 'remove', 'repair').map(
  (type): Step =>
    cluster =>
      cluster.carryOut([{ type, modules: ['demo'] }]),
);

const links = fc.tuple(oneOf(...NODES), oneOf(...LINKS)).map(
  ([node, link]): Step =>
    async cluster =>
      cluster.network.setLink(node, link),
);

const restarts = oneOf(...NODES).map(
  (node): Step =>
    cluster =>
      cluster.start(node),
);

/** What a node should run by a head, as docs/groups.md has it. */
function wanted({ revision, canary, groups }: Head, node: string): string | null {
  const group = node.startsWith('worker') ? 'worker' : 'web';
  if (groups !== undefined && !groups.names.includes(group)) return null;
  return canary !== null && inScope(canary.scope, node) ? canary.revision : revision;
}

/** Whether a node runs what it should, or refuses it. */
function follows(cluster: Cluster, head: Head, node: string): boolean {
  const should = wanted(head, node);
  const runs = definitely(cluster.nodes.get(node)).running(head.module)?.revision ?? null;
  if (runs === should) return true;
  return should !== null && definitely(cluster.sourceOf(should)).throwsOn.includes(node);
}

describe(
  'whatever is pushed to which groups, and whatever happens to nodes and controllers',
  { timeout: 60_000 },
  () => {
    it('every node ends with what its group should have, and without the rest', async () => {
      const steps = fc.array(fc.oneof({ weight: 3, arbitrary: pushes }, others, links, restarts), { maxLength: 25 });
      let last = Promise.resolve();
      const run = async (all: readonly Step[]): Promise<void> =>
        inCluster(async cluster => {
          for (const step of all) await step(cluster);
          for (const node of NODES) cluster.network.setLink(node, 'open');
          for (const { arrive } of cluster.network.held) arrive();
          await cluster.startReconciler();
          for (let round = 0; round < 3; round += 1) {
            await cluster.tick(HEARTBEAT_INTERVAL);
            await cluster.pass(60_000);
          }
          expect(cluster.faults).toEqual([]);
          for (const head of cluster.stream.heads()) {
            const lost = NODES.filter(node => !follows(cluster, head, node));
            expect(lost, `${head.module} on ${JSON.stringify(head.groups)}`).toEqual([]);
          }
        });
      await fc.assert(
        fc.asyncProperty(steps, all => (last = run(all))),
        { numRuns: 60, interruptAfterTimeLimit: 50_000 },
      );
      await last;
    });
  },
);
