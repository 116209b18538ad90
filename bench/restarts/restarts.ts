import { setTimeout as sleep } from 'node:timers/promises';

import type { Hotcast } from '../hotcast.ts';
import { run } from '../run.ts';
import { figuresOf } from '../stats.ts';
import { callFigures, stateFigures } from './calls.ts';
import { ConstantLoad } from './constant-load.ts';
import { hotcastTally, type PlainFleet, type Served, startPlainFleet } from './served.ts';

/** Calls per second, and the pushes of Hotcast under them. */
const RATE = 200;
const PUSHES = 100;

/** How long calls go on before the first order, and after every node has served the new code (milliseconds). */
const QUIET_MS = 3_000;
const AFTERMATH_MS = 1_000;

/** A rolling restart is stopped after this time (milliseconds from its order). */
const MAX_ROLLING_MS = 15_000;

/** A container's host name is the beginning of its id (characters). */
const HOST_NAME = 12;

export type Restarts = Awaited<ReturnType<typeof measureRestarts>>;

/** The result of an order to bring new code to a fleet. */
interface Rollout {
  readonly nodesReached: number;
  /** From each order until every node that was reached ran the new code (milliseconds). */
  readonly times: readonly number[];
}

/**
 * Brings new code to two fleets of the same size under the same load: by three ways to restart a plain fleet, and by
 * pushes of Hotcast. Both fleets run all the time. `project` is the plain fleet's, and `code` an empty folder for it.
 */
export async function measureRestarts(hotcast: Hotcast, project: string, code: string) {
  await using plain = await startPlainFleet(project, hotcast.nodes, code);
  const tally = hotcastTally(hotcast);
  await tally.push();
  const pushes = await underLoad(`Hotcast, ${PUSHES} pushes`, tally, async load => {
    const times: number[] = [];
    while (times.length < PUSHES) {
      times.push(await tally.push());
      load.expect(tally.version);
    }
    return { nodesReached: tally.nodes, times };
  });
  await hotcast.clear();
  // Without the service's name, the proxy would be recreated too, and every call fail.
  const recreate = ['up', '--detach', '--force-recreate', '--no-deps', 'node'];
  const contenders = [
    await underLoad('docker compose up --force-recreate', plain, load => atOnce(plain, load, recreate)),
    await underLoad('docker compose restart', plain, load => atOnce(plain, load, ['restart', 'node'])),
    await underLoad('docker restart, one by one', plain, load => oneByOne(plain, load)),
    pushes,
  ];
  return { rate: RATE, contenders };
}

/** Restarts all nodes with one command. A plain node runs new code when it listens. */
async function atOnce(plain: PlainFleet, load: ConstantLoad, command: readonly string[]): Promise<Rollout> {
  plain.writeNext();
  const orderedAt = Date.now();
  await plain.fleet.compose(...command);
  await load.seen(plain.version, plain.nodes);
  load.expect(plain.version);
  return { nodesReached: plain.nodes, times: [(await plain.listeningAt()) - orderedAt] };
}

/** Restarts one node after the other, each when the one before gets calls again. */
async function oneByOne(plain: PlainFleet, load: ConstantLoad): Promise<Rollout> {
  plain.writeNext();
  let nodesReached = 0;
  const orderedAt = performance.now();
  for (const container of await plain.fleet.ids('node')) {
    if (performance.now() - orderedAt > MAX_ROLLING_MS) break;
    await run('docker', ['restart', container]);
    await load.seen(plain.version, container.slice(0, HOST_NAME));
    nodesReached += 1;
  }
  return { nodesReached, times: [performance.now() - orderedAt] };
}

/** Measures a rollout under a constant load. */
async function underLoad(contender: string, served: Served, rollOut: (load: ConstantLoad) => Promise<Rollout>) {
  const { nodes, fleet } = served;
  await using load = new ConstantLoad(`http://127.0.0.1:${await fleet.proxyPort()}/tally/`, RATE);
  await load.seen(served.version, nodes);
  const quietFrom = performance.now();
  await sleep(QUIET_MS);
  const orderedAt = performance.now();
  const { nodesReached, times } = await rollOut(load);
  await load.seen(served.version, nodesReached);
  const completedAt = performance.now();
  await sleep(AFTERMATH_MS);
  const endedAt = performance.now();
  await load.stop();
  const { p50, p99 } = figuresOf(times);
  return {
    contender,
    nodes,
    /** Nodes that got new code; fewer than all when the time was up. Then the times are extrapolated. */
    nodesReached,
    rollouts: times.length,
    newCode: { p50: (p50 * nodes) / nodesReached, p99: (p99 * nodes) / nodesReached },
    quiet: callFigures(load.calls, quietFrom, orderedAt),
    /** From the first order until a second after every node had served the newest code through the proxy. */
    during: callFigures(load.calls, orderedAt, endedAt),
    state: stateFigures(load.calls, orderedAt, completedAt, served.version),
  };
}
