import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { median } from 'simple-statistics';

import { Driver } from '../driver.ts';
import { startFleet } from '../fleet.ts';
import type { PushSample } from '../rounds.ts';
import { figuresOf, mediansOf } from '../stats.ts';
import { natsUsers } from './cluster.ts';

/** At each count of nodes: pushes before those that count, and pushes that count. */
const WARM_UP = 2;
const ROUNDS = 9;

/** How long idle processes are watched (milliseconds). */
const IDLE_MS = 4_000;

/** The processes: processor time since the start (milliseconds), and resident memory now (bytes). */
export interface Usage extends Readonly<Record<keyof Cost, { readonly cpu: number; readonly rss: number }>> {
  /** Bytes that NATS received and sent since its start. */
  readonly received: number;
  readonly sent: number;
}

/** The processor time of the controller for an order (milliseconds). */
interface Own {
  readonly cpu: number;
}

/** Processor time (milliseconds). */
type Cost = Readonly<Record<'nats' | 'controller' | 'nodes', number>>;

export type ScaleRow = Awaited<ReturnType<typeof measureFleet>>;

/**
 * Measures fleets with these counts of nodes, ascending, one after the other in the same processes. `programs` is the
 * folder with the bundle of main.ts, `scale.mjs`.
 */
export async function measureScale(project: string, programs: string, counts: readonly number[], bytes: number) {
  writeFileSync(join(programs, 'accounts.conf'), natsUsers());
  const file = join(import.meta.dirname, 'docker-compose.yml');
  await using fleet = await startFleet({ project, file, env: { PROGRAMS: programs } });
  using driver = new Driver(await fleet.id('driver'));
  const empty = await usageOf(driver);
  const rows: ScaleRow[] = [];
  for (const nodes of counts) rows.push(await measureFleet(driver, empty, nodes, bytes));
  return rows;
}

/** Measures a simulated fleet of one size; times are milliseconds. */
async function measureFleet(driver: Driver, empty: Usage, nodes: number, bytes: number) {
  const { ms: startMs } = await driver.order<{ readonly ms: number }>('grow', nodes);
  for (let round = 0; round < WARM_UP; round += 1) await sampleOf(driver, bytes);
  const samples: Awaited<ReturnType<typeof sampleOf>>[] = [];
  while (samples.length < ROUNDS) samples.push(await sampleOf(driver, bytes));
  const from = await usageOf(driver);
  await pause(IDLE_MS);
  const to = await usageOf(driver);
  const of = <T>(value: (sample: (typeof samples)[number]) => T): T[] => samples.map(value);
  const costs = (each: (sample: (typeof samples)[number]) => Cost): Cost =>
    costOf(who => median(of(sample => each(sample)[who])));
  const idle = costBetween(from, to);
  return {
    nodes,
    bytes,
    /** From the first new connection until all nodes that were added answer. */
    startMs,
    /** From the order until the controller has every answer; without compile, type check and preflight. */
    push: figuresOf(of(({ push }) => push.ms)),
    /** Medians of its parts, in their order: the roster, prepare, commit, the rest. */
    phases: mediansOf(of(({ push }) => push.phases)),
    skew: figuresOf(of(({ push }) => push.skew ?? NaN)),
    /** The same bytes published, a small answer of each connection. */
    bare: figuresOf(of(sample => sample.bare)),
    /** The processor time of one push and of one bare round trip. */
    pushCost: costs(({ pushCost }) => pushCost),
    bareCost: costs(({ bareCost }) => bareCost),
    /** Bytes that NATS sends and receives for one push, for each node. */
    sentPerNode: median(of(({ sent }) => sent)) / nodes,
    receivedPerNode: median(of(({ received }) => received)) / nodes,
    /** What a node adds to the processes that simulate nodes, and to NATS; resident bytes. */
    memoryPerNode: (to.nodes.rss - empty.nodes.rss) / nodes,
    natsMemoryPerNode: (to.nats.rss - empty.nats.rss) / nodes,
    controllerMemory: to.controller.rss,
    /** Processor time in each second without a push. */
    idle: costOf(who => (idle[who] * 1_000) / IDLE_MS),
  };
}

/** A push, a bare round trip, and the cost of each. */
async function sampleOf(driver: Driver, bytes: number) {
  const first = await usageOf(driver);
  const { cpu: pushing, ...push } = await driver.order<PushSample & Own>('push', bytes);
  const second = await usageOf(driver);
  const { cpu: asking, ms: bare } = await driver.order<{ readonly ms: number } & Own>('bare', bytes);
  const third = await usageOf(driver);
  const [sent, received] = [second.sent - first.sent, second.received - first.received];
  // The controller also reads what was used, and makes the bytes of a push.
  const pushCost = { ...costBetween(first, second), controller: pushing };
  const bareCost = { ...costBetween(second, third), controller: asking };
  return { push, bare, pushCost, bareCost, sent, received };
}

const usageOf = (driver: Driver): Promise<Usage> => driver.order<Usage>('usage');

function costBetween(from: Usage, to: Usage): Cost {
  return costOf(who => to[who].cpu - from[who].cpu);
}

function costOf(of: (who: keyof Cost) => number): Cost {
  return { nats: of('nats'), controller: of('controller'), nodes: of('nodes') };
}
