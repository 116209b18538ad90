import * as fc from 'fast-check';
import { expect } from 'vitest';

import { HEARTBEAT_INTERVAL } from '../../protocol/limits.ts';
import type { Cluster } from './cluster.ts';
import type { Order } from './controller-process.ts';
import { LINKS } from './network.ts';
import { sourceOf } from './source.ts';

/** In an order of their own: a module needs only modules before it, and mentions any. */
export const MODULES = ['demo', 'counter', 'greeter'];
export const FIRST_NODES = ['fred', 'betty', 'wilma'];
const LATE_NODES = ['barney', 'pebbles'];
const NODES = [...FIRST_NODES, ...LATE_NODES];

/** How often a controller looks for bundles that nobody needs (milliseconds). */
const SWEEP_INTERVAL = 60_000;

function command(text: string, run: (cluster: Cluster) => Promise<void>, check = (_cluster: Cluster) => true) {
  return { check, run: (_model: Cluster, cluster: Cluster) => run(cluster), toString: () => text };
}

const modules = fc.oneof(
  fc.constantFrom(...MODULES).map(module => [module]),
  fc.shuffledSubarray(MODULES, { minLength: 2 }),
);

const pushes = modules.chain(names =>
  fc.record({
    type: fc.constant('push' as const),
    sources: fc.tuple(
      ...names.map(module =>
        fc
          .record({
            module: fc.constant(module),
            version: fc.nat(3),
            throwsOn: rarely(fc.subarray(NODES, { minLength: 1, maxLength: 2 }), []),
            isBroken: rarely(fc.constant(true), false, 12),
            needs: rarely(fc.subarray(MODULES.slice(0, MODULES.indexOf(module))), [], 3),
            mentions: rarely(fc.subarray(MODULES), [], 3),
          })
          .map(sourceOf),
      ),
    ),
    canary: fc.option(fc.constantFrom('1', '2', '30%', '60%', 'fred,betty', 'wilma')),
    force: rarely(fc.constant(true), false),
  }),
);

const others = fc.record({
  type: fc.constantFrom('promote' as const, 'rollback' as const, 'remove' as const, 'clear' as const),
  modules,
});

const orders: fc.Arbitrary<Order> = fc.oneof({ weight: 2, arbitrary: pushes }, others);

/** An order that nothing comes in the way of does what the model says. */
const carryOut = orders.map(order =>
  command(show(order), async cluster => {
    const foreseen = cluster.foresee(order);
    const [outcome] = await cluster.carryOut([order]);
    if (foreseen !== null) expect(outcome, show(order)).toBe(foreseen);
  }),
);

/** The controller stops in the midst of it. */
const carryOutPartly = fc.tuple(orders, fc.nat(20)).map(([order, steps]) =>
  command(`${show(order)}, stopped after ${steps} steps`, async cluster => {
    await cluster.carryOut([order], steps);
  }),
);

/** Of two controllers on the same heads, one is too late. */
const race = fc.tuple(orders, orders).map(both =>
  command(both.map(show).join(' against '), async cluster => {
    const foreseen = both.map(order => cluster.foresee(order));
    const [first, second] = both.map(order => cluster.writes(order));
    const headResults = await cluster.carryOut(both);
    const isContested = first?.some(module => second?.includes(module)) === true;
    if (!isContested || !foreseen.every(outcome => outcome === 'committed' || outcome === 'reverted')) return;
    expect(headResults.filter(outcome => outcome === 'overtaken')).toHaveLength(1);
  }),
);

const endCanary = fc.constantFrom(...MODULES).map(module =>
  command(`the canary of ${module} fails`, async cluster => {
    const { head } = cluster.stream.lastHead(module);
    if (head === null || head.canary === null) return;
    const together = cluster.stream.heads().filter(({ push }) => push === head.push);
    const order = { type: 'end canary' as const, head, modules: together.map(each => each.module) };
    const foreseen = cluster.foresee(order);
    const [outcome] = await cluster.carryOut([order]);
    expect(outcome, show(order)).toBe(foreseen);
    for (const each of order.modules) expect(cluster.stream.lastHead(each).head?.canary, show(order)).toBeNull();
  }),
);

const goOn = fc.nat(9).map(index =>
  command(
    `stopped controller ${index} goes on`,
    async cluster => {
      cluster.stopped[index % cluster.stopped.length]?.goOn();
      await cluster.runToIdle();
    },
    cluster => cluster.stopped.length > 0,
  ),
);

const startReconciler = fc
  .option(fc.nat(20), { nil: Infinity })
  .map(steps =>
    command(`a controller starts, stopped after ${steps} steps`, cluster => cluster.startReconciler(steps)),
  );

const digest = fc.constant(command('digest', cluster => cluster.tick(HEARTBEAT_INTERVAL)));

// A push takes less time than there is between two sweeps.
const sweep = fc.constant(
  command(
    'sweep',
    cluster => cluster.tick(SWEEP_INTERVAL),
    cluster => cluster.stopped.length === 0,
  ),
);

const passTime = fc
  .integer({ min: 1, max: 20_000 })
  .map(time => command(`${time} ms pass`, cluster => cluster.pass(time)));

const setLink = fc
  .tuple(fc.constantFrom(...NODES), fc.constantFrom(...LINKS))
  .map(([node, link]) =>
    command(`the link of ${node} is ${link}`, async cluster => cluster.network.setLink(node, link)),
  );

const restart = fc.constantFrom(...NODES).map(node => command(`${node} starts`, cluster => cluster.start(node)));

const deliver = fc.tuple(fc.nat(30), fc.boolean()).map(([index, again]) =>
  command(
    `held message ${index} arrives${again ? ', and is kept to arrive again' : ''}`,
    async cluster => {
      const { held } = cluster.network;
      const [message] = again ? held.slice(index % held.length) : held.splice(index % held.length, 1);
      message?.arrive();
      await cluster.runToIdle();
    },
    cluster => cluster.network.held.length > 0,
  ),
);

const lose = fc.nat(30).map(index =>
  command(
    `held message ${index} is lost`,
    async ({ network: { held } }) => {
      const at = index % held.length;
      if (held[at]?.what === 'message') held.splice(at, 1);
    },
    cluster => cluster.network.held.length > 0,
  ),
);

/** All that can happen to a cluster. */
export const commands: fc.Arbitrary<fc.AsyncCommand<Cluster, Cluster>>[] = [
  carryOut,
  carryOut,
  carryOut,
  carryOutPartly,
  carryOutPartly,
  race,
  endCanary,
  goOn,
  startReconciler,
  digest,
  sweep,
  passTime,
  setLink,
  setLink,
  restart,
  deliver,
  deliver,
  lose,
];

function rarely<T>(arbitrary: fc.Arbitrary<T>, else_: T, oneIn = 5): fc.Arbitrary<T> {
  return fc.oneof({ weight: oneIn - 1, arbitrary: fc.constant(else_) }, { weight: 1, arbitrary });
}

function show(order: Order): string {
  if (order.type === 'end canary') return `end the canary of ${order.modules.join(' ')}`;
  if (order.type !== 'push') return `${order.type} ${order.modules.join(' ')}`;
  const sources = order.sources.map(({ bundle: { module, revision }, throwsOn, isBroken, needs }) => {
    const faults = [
      isBroken ? 'broken' : '',
      throwsOn.length > 0 ? `throws on ${throwsOn.join(', ')}` : '',
      needs.length > 0 ? `needs ${needs.join(', ')}` : '',
    ];
    return `${module}@${revision.slice(0, 4)}${faults.some(Boolean) ? ` (${faults.filter(Boolean).join(', ')})` : ''}`;
  });
  return `push ${sources.join(' ')}${order.canary === null ? '' : ` --canary ${order.canary}`}${order.force ? ' --force' : ''}`;
}
