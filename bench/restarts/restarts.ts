import { run } from '../command.ts';
import type { HotcastAddress } from '../hotcast-fleet.ts';
import type { ConstantLoad } from './constant-load.ts';
import { HotcastTally } from './hotcast-tally.ts';
import { PlainFleet } from './plain-fleet.ts';
import { type RestartFigures, type Rollout, underLoad } from './under-load.ts';

/** A container's host name is this much of its id (characters). */
const HOST_NAME = 12;

export interface RestartOptions {
  /** How many nodes each fleet has. */
  readonly nodes: number;
  /** The Compose project that the plain fleet gets, and has to itself. */
  readonly project: string;
  /** A Hotcast cluster that runs, of so many nodes. */
  readonly hotcast: HotcastAddress;
  /** Calls a second. */
  readonly rate: number;
  /** How often Hotcast pushes. */
  readonly pushes: number;
  /** When the rolling restart goes no further (milliseconds from its order). */
  readonly rollingMayTake: number;
}

export interface Restarts {
  readonly rate: number;
  /** From the order to start the plain fleet until each of its nodes answered (milliseconds). */
  readonly plainStart: number;
  /** A row a contender: three ways to restart a plain fleet, and Hotcast. */
  readonly contenders: readonly RestartFigures[];
}

/**
 * Brings new code to fleets of the same size, under the same load of calls. Both fleets are up all the time, so none
 * has the machine for itself.
 *
 * @throws Error when a node does not come to run the new code.
 */
export async function measureRestarts(options: RestartOptions): Promise<Restarts> {
  const { nodes, project, rate } = options;
  await using plain = await PlainFleet.start(project, nodes);
  const hotcast = await measureHotcast(options);
  // Without the service's name, the proxy would be made anew too, and every call fail.
  const recreate = ['up', '--detach', '--force-recreate', '--no-deps'];
  const contenders = [
    await underLoad('docker compose up --force-recreate', plain, rate, load => atOnce(plain, load, recreate)),
    await underLoad('docker compose restart', plain, rate, load => atOnce(plain, load, ['restart'])),
    await underLoad('docker restart, one by one', plain, rate, load => oneByOne(plain, load, options.rollingMayTake)),
    hotcast,
  ];
  return { rate, plainStart: plain.startedIn, contenders };
}

async function measureHotcast({ hotcast, nodes, rate, pushes }: RestartOptions): Promise<RestartFigures> {
  await using tally = new HotcastTally(hotcast, nodes);
  // The first version is not an upgrade.
  await tally.push();
  return await underLoad(`Hotcast, ${pushes} pushes`, tally, rate, async load => {
    const times: number[] = [];
    while (times.length < pushes) {
      times.push(await tally.push());
      load.expect(tally.version);
    }
    return { version: tally.version, nodesReached: nodes, times, counters: await tally.counters() };
  });
}

/** Has Compose start all nodes anew. */
async function atOnce(plain: PlainFleet, load: ConstantLoad, command: readonly string[]): Promise<Rollout> {
  const version = plain.writeNext();
  const orderedAt = performance.now();
  const answered = plain.answered(version).then(counters => ({ counters, ms: performance.now() - orderedAt }));
  const [{ counters, ms }] = await Promise.all([answered, plain.compose(...command, 'node')]);
  load.expect(version);
  return { version, nodesReached: plain.nodes, times: [ms], counters };
}

/** Restarts one node after the other, each when the one before gets calls again; as many as there is time for. */
async function oneByOne(plain: PlainFleet, load: ConstantLoad, timeoutMs: number): Promise<Rollout> {
  const version = plain.writeNext();
  const containers = await plain.containers();
  const counters = new Map<string, number>();
  const orderedAt = performance.now();
  for (const container of containers) {
    if (performance.now() - orderedAt > timeoutMs) break;
    await run('docker', ['restart', container]);
    const node = container.slice(0, HOST_NAME);
    counters.set(node, await load.seenOn(node, version));
  }
  return { version, nodesReached: counters.size, times: [performance.now() - orderedAt], counters };
}
