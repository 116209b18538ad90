import { median, percentile } from '../runtime/numbers.ts';
import type { PushSample } from '../contender.ts';
import type { ProcessUsage, Usage } from './orders.ts';
import { SimulatedFleet, type SimulationOptions } from './simulated-fleet.ts';

/** Loadable code of what is pushed (bytes). */
const SIZES = [10_240];

/** Before samples are taken, at each count of nodes, and how many are taken then. */
const WARM_UP = 2;
const ROUNDS = 9;

/** How long processes are watched that are left alone (milliseconds). */
const IDLE = 4_000;

/** Of samples in milliseconds. */
export interface Spread {
  readonly median: number;
  readonly p99: number;
}

/** Processor time of the processes (milliseconds). */
export interface Cost {
  readonly nats: number;
  readonly controller: number;
  /** All that simulate nodes, together. */
  readonly nodes: number;
}

/** Pushes of modules of one size to one count of nodes; times in milliseconds. */
export interface SizedPushes {
  /** Loadable code. */
  readonly bytes: number;
  /** From the order until the controller has every answer and its result: compile, type check and preflight are left out. */
  readonly push: Spread;
  /** Medians of its parts, in their order: who should answer, prepare, commit, what follows. */
  readonly phases: Readonly<Record<string, number>>;
  /** From the first node's switch to the last one's. */
  readonly skew: Spread;
  /** The bare round trip: the same bytes published, a small answer from each connection. Taken after each push. */
  readonly bare: Spread;
  /** What one push, and one bare round trip, cost on average. */
  readonly pushCost: Cost;
  readonly bareCost: Cost;
  /** What NATS sends out for one push, of which most goes to the nodes, and what it takes in; bytes for each node. */
  readonly sentPerNode: number;
  readonly takenPerNode: number;
}

/** A simulated fleet of one size. */
export interface ScaleRow {
  readonly nodes: number;
  /** From the first new connection until all nodes that were added answer (milliseconds), and how many were added. */
  readonly started: { readonly nodes: number; readonly ms: number };
  /** What a node adds to the processes that simulate nodes, and a connection to NATS's process; resident bytes. */
  readonly memoryPerNode: number;
  readonly natsMemoryPerNode: number;
  readonly controllerMemory: number;
  /** Processor time in each second in which nothing is pushed. */
  readonly idle: Cost;
  readonly pushes: readonly SizedPushes[];
}

/**
 * Measures fleets of growing size, one after the other in the same processes.
 *
 * @param counts of nodes, ascending.
 */
export async function measureScale(
  counts: readonly number[],
  options: Omit<SimulationOptions, 'nodes'>,
): Promise<ScaleRow[]> {
  await using fleet = await SimulatedFleet.start({ ...options, nodes: 0 });
  const empty = await fleet.usage();
  const rows: ScaleRow[] = [];
  for (const nodes of counts) {
    const before = rows.at(-1)?.nodes ?? 0;
    const { ms } = await fleet.grow(nodes);
    const pushes = await measurePushes(fleet, nodes);
    const [from, to] = [await fleet.usage(), await later(fleet)];
    const perNode = (of: (usage: Usage) => number): number => (of(to) - of(empty)) / nodes;
    rows.push({
      nodes,
      started: { nodes: nodes - before, ms },
      memoryPerNode: perNode(usage => sum(usage.nodes, ({ rss }) => rss)),
      natsMemoryPerNode: perNode(usage => usage.nats.rss),
      controllerMemory: to.controller.rss,
      idle: over(costBetween(from, to), IDLE / 1_000),
      pushes,
    });
  }
  return rows;
}

async function measurePushes(fleet: SimulatedFleet, nodes: number): Promise<SizedPushes[]> {
  for (let round = 0; round < WARM_UP; round += 1) for (const bytes of SIZES) await sampleOf(fleet, bytes);
  const samples = SIZES.map(bytes => ({ bytes, all: [] as Sample[] }));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { bytes, all } of samples) all.push(await sampleOf(fleet, bytes));
  }
  return samples.map(({ bytes, all }) => ({
    bytes,
    push: spreadOf(all.map(({ push }) => push.ms)),
    phases: Object.fromEntries(
      Object.keys(all[0]?.push.phases ?? {}).map(phase => [
        phase,
        median(all.map(({ push }) => push.phases[phase] ?? 0)),
      ]),
    ),
    skew: spreadOf(all.map(({ push }) => push.skew ?? 0)),
    bare: spreadOf(all.map(({ bare }) => bare)),
    pushCost: meanCost(all.map(({ pushCost }) => pushCost)),
    bareCost: meanCost(all.map(({ bareCost }) => bareCost)),
    sentPerNode: median(all.map(({ sent }) => sent)) / nodes,
    takenPerNode: median(all.map(({ taken }) => taken)) / nodes,
  }));
}

interface Sample {
  readonly push: PushSample;
  readonly bare: number;
  readonly pushCost: Cost;
  readonly bareCost: Cost;
  readonly sent: number;
  readonly taken: number;
}

/** A push and a bare round trip, and what each has cost. */
async function sampleOf(fleet: SimulatedFleet, bytes: number): Promise<Sample> {
  const first = await fleet.usage();
  const push = await fleet.push(bytes);
  const second = await fleet.usage();
  const bare = await fleet.bare(bytes);
  const third = await fleet.usage();
  return {
    push,
    bare,
    pushCost: costBetween(first, second),
    bareCost: costBetween(second, third),
    sent: second.wire.outBytes - first.wire.outBytes,
    taken: second.wire.inBytes - first.wire.inBytes,
  };
}

async function later(fleet: SimulatedFleet): Promise<Usage> {
  await new Promise(resolve => setTimeout(resolve, IDLE));
  return fleet.usage();
}

function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), p99: percentile(values, 0.99) };
}

function costBetween(from: Usage, to: Usage): Cost {
  const cpu = (each: ProcessUsage): number => each.cpu;
  return {
    nats: to.nats.cpu - from.nats.cpu,
    controller: to.controller.cpu - from.controller.cpu,
    nodes: sum(to.nodes, cpu) - sum(from.nodes, cpu),
  };
}

function meanCost(costs: readonly Cost[]): Cost {
  const total = (of: (cost: Cost) => number): number => sum(costs, of);
  const all = {
    nats: total(each => each.nats),
    controller: total(each => each.controller),
    nodes: total(each => each.nodes),
  };
  return over(all, costs.length);
}

function over({ nats, controller, nodes }: Cost, divisor: number): Cost {
  return { nats: nats / divisor, controller: controller / divisor, nodes: nodes / divisor };
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}
