import * as fc from 'fast-check';
import { expect } from 'vitest';

import { HEARTBEAT_INTERVAL } from '../../../protocol/limits.ts';
import { call, changeMemory, endCall, purge } from './call-commands.ts';
import type { Cluster } from '../cluster.ts';
import { command } from './command.ts';
import type { Order } from '../controller-process.ts';
import { lacksNothingThatItCanLoad } from '../laws.ts';
import { LINKS } from '../network.ts';
import { loads, MODULES, NODES, orders, show } from '../orders.ts';
import { definitely } from '../source.ts';

/** How often a controller looks for bundles that nobody needs (milliseconds). */
const SWEEP_INTERVAL = 60_000;

/** An order that nothing comes in the way of does what the model says. */
const carryOut = (some: fc.Arbitrary<Order>) =>
  some.map(order =>
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
    const contested = first?.filter(module => second?.includes(module)) ?? [];
    // What the first order replaces can drain, and leave no room for a push.
    const isContested = contested.length > 0 && cluster.calls.length === 0;
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

const setLink = (...nodes: readonly string[]) =>
  fc
    .tuple(fc.constantFrom(...nodes), fc.constantFrom(...LINKS))
    .map(([node, link]) =>
      command(`the link of ${node} is ${link}`, async cluster => cluster.network.setLink(node, link)),
    );

const restart = fc.constantFrom(...NODES).map(name =>
  command(`${name} starts`, async cluster => {
    await cluster.start(name);
    const canRead = ['open', 'slow', 'twice', 'deaf', 'mute'].includes(cluster.network.linkOf(name));
    if (canRead) lacksNothingThatItCanLoad(cluster, definitely(cluster.nodes.get(name)));
  }),
);

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
export const everything: fc.Arbitrary<fc.AsyncCommand<Cluster, Cluster>>[] = [
  carryOut(orders),
  carryOut(orders),
  carryOut(orders),
  carryOutPartly,
  carryOutPartly,
  race,
  endCanary,
  goOn,
  startReconciler,
  digest,
  sweep,
  passTime,
  setLink(...NODES),
  setLink(...NODES),
  restart,
  call,
  endCall,
  deliver,
  deliver,
  lose,
];

/** Calls, and what makes versions come and go. */
export const versionsComeAndGo: fc.Arbitrary<fc.AsyncCommand<Cluster, Cluster>>[] = [
  carryOut(loads),
  carryOut(loads),
  carryOut(loads),
  carryOut(loads),
  call,
  call,
  call,
  endCall,
  purge,
  changeMemory,
  restart,
  // Most calls are on it: it misses pushes that it would refuse, and catches up.
  setLink('fred', 'fred', ...NODES),
  setLink('fred'),
  deliver,
  digest,
  passTime,
];
