import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { HEARTBEAT_INTERVAL } from '../../protocol/limits.ts';
import type { Cluster } from './cluster.ts';
import { everything, versionsComeAndGo } from './commands/commands.ts';
import { inCluster, push } from './in-cluster.ts';
import { unfinishedHeads } from './laws.ts';
import type { Order } from './controller-process.ts';
import { definitely } from './source.ts';

/** Has commands happen in many random orders, each in a cluster of its own, which converges at the end. */
async function inClusters(commands: typeof everything, numRuns: number, maxCommands: number): Promise<void> {
  const happenings = fc.commands(commands, { maxCommands, size: '+1' });
  let last = Promise.resolve();
  await fc.assert(
    fc.asyncProperty(happenings, steps => {
      last = inCluster(cluster => fc.asyncModelRun(() => ({ model: cluster, real: cluster }), steps));
      return last;
    }),
    // In time to report the counterexample that was found, although it could be made shorter.
    { numRuns, interruptAfterTimeLimit: 50_000 },
  );
  // An interrupted run goes on, and shares the clock with the next test.
  await last;
}

describe('whatever happens to controllers, nodes and links', { timeout: 60_000 }, () => {
  it('heads say what the model says, and every node ends on them', () => inClusters(everything, 100, 40));
});

describe('whatever calls run while versions come and go', { timeout: 60_000 }, () => {
  it('each ends on its version, which drains so long, and pushes are refused past the limit only', () =>
    inClusters(versionsComeAndGo, 60, 60));
});

const one = push({ module: 'demo', version: 1 });
const two = push({ module: 'demo', version: 1 }, { module: 'counter', version: 1 });
const badOne = push({ module: 'demo', version: 2, throwsOn: ['wilma'] });
const badTwo = push({ module: 'demo', version: 2 }, { module: 'counter', version: 2, throwsOn: ['wilma'] });

/** As many steps as a controller takes for the longest of these. */
const STEPS = Array.from({ length: 26 }, (_, step) => step);

it('a rollback goes back from a head that is written while it reads', { timeout: 60_000 }, async () => {
  for (const steps of STEPS) {
    await inCluster(async cluster => {
      await cluster.carryOut([one]);
      await cluster.carryOut([push({ module: 'demo', version: 2 })]);
      await cluster.carryOut([{ type: 'rollback', modules: ['demo'] }], steps);
      // Two pushes, so that an older history has neither the last revision nor the one before it.
      for (const version of [3, 4]) await cluster.carryOut([push({ module: 'demo', version })]);
      cluster.stopped[0]?.goOn();
      await cluster.runToIdle();
    });
  }
});

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
        await cluster.runToIdle();
        cluster.network.setLink('wilma', 'deaf');
        await cluster.startReconciler();
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

  it('whereas a push whose client has gone writes nothing, or ends as if it were there', async () => {
    const outcomes = new Set<string | null>();
    for (const order of [two, badTwo]) {
      for (const steps of STEPS) {
        await inCluster(async cluster => {
          const [outcome = null] = await cluster.carryOut([order], Infinity, steps);
          outcomes.add(outcome);
          const written = cluster.stream.everyHead.length;
          expect(written).toBe(outcome === 'abandoned' ? 0 : order === two ? 2 : 4);
          expect(unfinishedHeads(cluster)).toEqual([]);
        });
      }
    }
    expect(outcomes).toEqual(new Set(['abandoned', 'committed', 'reverted']));
  });

  it('and a rollback goes past what was refused', async () => {
    await inCluster(async cluster => {
      for (const order of [one, push({ module: 'demo', version: 3 }), badOne]) await cluster.carryOut([order]);
      await cluster.carryOut([{ type: 'rollback', modules: ['demo'] }]);
    });
  });
});

describe('a node that starts loads a module whose top level calls another one', () => {
  const user = push({ module: 'counter', version: 1, needs: ['demo'] });

  it('although that was pushed again after it', async () => {
    await inCluster(async cluster => {
      for (const order of [one, user, push({ module: 'demo', version: 2 })]) await cluster.carryOut([order]);
      await cluster.start('fred');
    });
  });

  it('when both are pushed at the same time', async () => {
    await inCluster(async cluster => {
      cluster.network.setLink('fred', 'slow');
      await cluster.carryOut([user, one]);
    });
  });

  it('in a circle over two pushes, of which it missed the second one', async () => {
    const needy = { module: 'greeter', version: 1, needs: ['counter'] };
    const set = push(needy, { module: 'demo', version: 2 }, { module: 'counter', version: 2, needs: ['greeter'] });
    await inCluster(async cluster => {
      cluster.network.setLink('barney', 'deaf');
      for (const order of [two, set]) await cluster.carryOut([order]);
      await cluster.start('barney');
      await cluster.carryOut([push({ module: 'counter', version: 3, needs: ['demo'] })]);
    });
  });

  it('but not with what a newer push has replaced in the circle', async () => {
    const circle = push(
      { module: 'greeter', version: 1 },
      { module: 'counter', version: 2, needs: ['demo'] },
      { module: 'demo', version: 2, needs: ['counter'] },
    );
    await inCluster(async cluster => {
      for (const order of [two, circle]) await cluster.carryOut([order]);
      await cluster.start('fred');
      expect(cluster.nodes.get('fred')?.running('greeter')).toBeNull();
      const needy = push({ module: 'demo', version: 3, needs: ['greeter'] }, { module: 'counter', version: 3 });
      expect(await cluster.carryOut([needy])).toEqual(['reverted']);
    });
  });

  it('when that comes back', async () => {
    await inCluster(async cluster => {
      for (const order of [one, user]) await cluster.carryOut([order]);
      await cluster.carryOut([{ type: 'remove', modules: ['demo'] }]);
      await cluster.start('fred');
      expect(cluster.nodes.get('fred')?.running('counter')).toBeNull();
      await cluster.carryOut([one]);
      expect(cluster.nodes.get('fred')?.running('counter')).not.toBeNull();
    });
  });
});

describe('a node that was cut off while the state of a module was cleared', () => {
  const clear: Order = { type: 'clear', modules: ['demo'] };
  const canary = { ...push({ module: 'demo', version: 2 }), canary: 'fred' };

  it.each<{ readonly title: string; readonly orders: readonly Order[] }>([
    { title: 'another revision was pushed', orders: [clear, push({ module: 'demo', version: 2 })] },
    { title: 'the same revision was pushed', orders: [clear, one] },
    { title: 'it was rolled back', orders: [clear, { type: 'rollback', modules: ['demo'] }] },
    { title: 'a canary was started and promoted', orders: [clear, canary, { type: 'promote', modules: ['demo'] }] },
    { title: 'it was removed again and pushed', orders: [clear, one, { type: 'remove', modules: ['demo'] }, one] },
    { title: 'a push was reverted, and another one made', orders: [clear, badOne, one] },
    {
      title: 'the head of the clearing was collected',
      orders: [clear, ...Array.from({ length: 20 }, () => ({ ...one, force: true }))],
    },
  ])('begins with empty data: $title', async ({ orders }) => {
    await inCluster(async cluster => {
      await cluster.startReconciler();
      await cluster.carryOut([one]);
      const before = cluster.nodes.get('fred')?.running('demo')?.data;
      cluster.network.setLink('fred', 'cut');
      for (const order of orders) await cluster.carryOut([order]);
      await cluster.tick(60_000);
      cluster.network.setLink('fred', 'open');
      await cluster.tick(HEARTBEAT_INTERVAL);
      const after = cluster.nodes.get('fred')?.running('demo')?.data;
      expect(after).toEqual({ loads: 1 });
      expect(before).toEqual({ loads: 1 });
      expect(after).not.toBe(before);
    });
  });
});

it('the state of a module that is removed can be cleared, and that of one that was never pushed cannot', async () => {
  await inCluster(async cluster => {
    const clear: Order = { type: 'clear', modules: ['demo'] };
    expect(await cluster.carryOut([clear])).toEqual(['unusable']);
    await cluster.carryOut([one]);
    await cluster.carryOut([{ type: 'remove', modules: ['demo'] }]);
    expect(await cluster.carryOut([clear])).toEqual(['committed']);
    await cluster.carryOut([one]);
    expect(cluster.nodes.get('fred')?.running('demo')?.data).toEqual({ loads: 1 });
  });
});

describe('a canary that failed', () => {
  const version = (number: number, canary: string | null, throwsOn: readonly string[] = []) => ({
    ...push({ module: 'demo', version: number, throwsOn }),
    canary,
  });

  async function endCanary(cluster: Cluster, module: string): Promise<void> {
    const { head } = cluster.stream.lastHead(module);
    if (head === null) throw new Error(`${module} has no head`);
    await cluster.carryOut([{ type: 'end canary', head, modules: [module] }]);
  }

  it('stays closed when a node cannot load what it goes back to', async () => {
    await inCluster(async cluster => {
      const first = version(1, null, ['wilma']);
      cluster.network.setLink('wilma', 'cut');
      await cluster.carryOut([first]);
      await cluster.carryOut([version(2, 'wilma')]);
      cluster.network.setLink('wilma', 'open');
      await endCanary(cluster, 'demo');
      expect(cluster.stream.lastHead('demo').head).toMatchObject({
        revision: first.sources[0]?.bundle.revision,
        canary: null,
        cause: 'canary',
      });
    });
  });

  it('takes the modules back that were pushed together with it', async () => {
    await inCluster(async cluster => {
      await cluster.carryOut([two]);
      const canary = push({ module: 'demo', version: 2 }, { module: 'counter', version: 2 });
      await cluster.carryOut([{ ...canary, canary: 'wilma' }]);
      await endCanary(cluster, 'counter');
      for (const { bundle } of two.sources) {
        const { head } = cluster.stream.lastHead(bundle.module);
        expect(head).toMatchObject({ revision: bundle.revision, canary: null, cause: 'canary' });
      }
    });
  });
});

describe('a push of what runs already', () => {
  const demo = (version: number) => push({ module: 'demo', version });
  const carryOut = async (cluster: Cluster, ...orders: Order[]) => {
    const outcomes = [];
    for (const order of orders) outcomes.push(...(await cluster.carryOut([order])));
    return outcomes;
  };

  it('writes no head, also of a canary', async () => {
    await inCluster(async cluster => {
      await carryOut(cluster, two);
      const outcomes = await carryOut(cluster, two, demo(1), { ...demo(1), canary: 'fred' });
      expect(outcomes).toEqual(['unchanged', 'unchanged', 'unchanged']);
      expect(cluster.stream.everyHead).toHaveLength(2);
    });
  });

  it('writes a head with --force, out of a canary, and when a node that answers does not run it', async () => {
    await inCluster(async cluster => {
      await carryOut(cluster, demo(1));
      expect(await carryOut(cluster, { ...demo(1), force: true })).toEqual(['committed']);
      await carryOut(cluster, { ...demo(2), canary: 'fred' });
      expect(await carryOut(cluster, { ...demo(2), canary: 'betty' }, demo(1))).toEqual(['committed', 'committed']);
      cluster.network.setLink('wilma', 'cut');
      await carryOut(cluster, demo(3));
      expect(await carryOut(cluster, demo(3))).toEqual(['unchanged']);
      cluster.network.setLink('wilma', 'open');
      expect(await carryOut(cluster, demo(3))).toEqual(['committed']);
    });
  });

  it('leaves the unchanged modules of a set alone', async () => {
    await inCluster(async cluster => {
      await carryOut(cluster, two, push({ module: 'demo', version: 2 }, { module: 'counter', version: 1 }));
      expect(cluster.stream.history('counter')).toHaveLength(1);
      expect(cluster.stream.history('demo')).toHaveLength(2);
    });
  });
});

it('a history keeps every other revision, however often two of them were written since', async () => {
  await inCluster(async cluster => {
    await cluster.startReconciler();
    for (const version of [1, 2, 3]) await cluster.carryOut([push({ module: 'demo', version })]);
    const forced = { ...push({ module: 'demo', version: 3 }), force: true };
    for (let round = 0; round < 20; round += 1) {
      await cluster.carryOut([forced]);
      await cluster.carryOut([{ type: 'rollback', modules: ['demo'] }]);
      await cluster.carryOut([{ ...push({ module: 'demo', version: 3 }), canary: 'fred' }]);
      await cluster.carryOut([{ type: 'promote', modules: ['demo'] }]);
    }
    await cluster.tick(60_000);
    const revisions = [1, 2, 3].map(
      version => definitely(push({ module: 'demo', version }).sources[0]).bundle.revision,
    );
    const history = cluster.stream.history('demo');
    expect(new Set(history.map(({ revision }) => revision))).toEqual(new Set(revisions));
    expect(history.length).toBeLessThan(24);
    for (const revision of revisions) expect(cluster.stream.bundle('demo', revision)).not.toBeNull();
  });
});
