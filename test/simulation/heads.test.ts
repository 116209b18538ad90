import * as fc from 'fast-check';
import { describe, it } from 'vitest';

import { Cluster } from './cluster.ts';
import { commands, FIRST_NODES, MODULES } from './commands.ts';
import { converge, lawsOf } from './laws.ts';
import { sourceOf } from './source.ts';

async function inCluster(run: (cluster: Cluster) => Promise<void>): Promise<void> {
  using cluster = new Cluster(lawsOf(MODULES));
  for (const name of FIRST_NODES) await cluster.start(name);
  await run(cluster);
  await converge(cluster);
}

describe('whatever happens to controllers, nodes and links', { timeout: 60_000 }, () => {
  it('heads say what the model says, and every node ends on them', async () => {
    const happenings = fc.commands(commands, { maxCommands: 40, size: '+1' });
    await fc.assert(
      fc.asyncProperty(happenings, steps =>
        inCluster(cluster => fc.asyncModelRun(() => ({ model: cluster, real: cluster }), steps)),
      ),
      { numRuns: 100 },
    );
  });
});

const push = (...sources: readonly { module: string; version: number; throwsOn?: readonly string[] }[]) => ({
  type: 'push' as const,
  sources: sources.map(source => sourceOf({ throwsOn: [], isBroken: false, ...source })),
  canary: null,
});

const one = push({ module: 'demo', version: 1 });
const two = push({ module: 'demo', version: 1 }, { module: 'counter', version: 1 });
const badOne = push({ module: 'demo', version: 2, throwsOn: ['wilma'] });
const badTwo = push({ module: 'demo', version: 2 }, { module: 'counter', version: 2, throwsOn: ['wilma'] });

/** As many steps as a controller takes for the longest of these. */
const STEPS = Array.from({ length: 26 }, (_, step) => step);

describe('wherever a controller stops in its push, the next ones keep the laws', { timeout: 60_000 }, () => {
  it.each([
    { title: 'of one module', order: one },
    { title: 'of two modules', order: two },
    { title: 'that is refused', order: badOne },
    { title: 'of two modules that is refused', order: badTwo },
  ])('$title', async ({ order }) => {
    for (const steps of STEPS) {
      await inCluster(async cluster => {
        cluster.network.setLink('fred', 'cut');
        await cluster.carryOut([two]);
        await cluster.carryOut([order], steps);
      });
    }
  });

  it('also when another push comes meanwhile, and it goes on after that', async () => {
    for (const steps of STEPS) {
      await inCluster(async cluster => {
        await cluster.carryOut([badTwo], steps);
        await cluster.carryOut([one]);
        for (const controller of cluster.stopped) controller.goOn();
        await cluster.commitHeads();
        cluster.network.setLink('wilma', 'deaf');
        await cluster.startKeeper();
      });
    }
  });

  it('also when the next controller stops too', async () => {
    for (const steps of STEPS) {
      for (const stepsOfNext of STEPS.filter(step => step % 4 === 3)) {
        await inCluster(async cluster => {
          await cluster.carryOut([badOne], steps);
          await cluster.carryOut([badOne], stepsOfNext);
        });
      }
    }
  });

  it('and a rollback goes past what was refused', async () => {
    await inCluster(async cluster => {
      for (const order of [one, push({ module: 'demo', version: 3 }), badOne]) await cluster.carryOut([order]);
      await cluster.carryOut([{ type: 'rollback', modules: ['demo'] }]);
    });
  });
});
