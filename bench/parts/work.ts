import { setTimeout as pause } from 'node:timers/promises';

import type Docker from 'dockerode';
import { mean, sum } from 'simple-statistics';

import { processorTimes } from '../docker.ts';
import type { Contender } from '../rounds.ts';
import { type Figures, figuresOf } from '../stats.ts';

/** Pushes of a turn, and turns of each contender and size. */
const PUSHES = 12;
const TURNS = 4;

/** How long nodes are watched after the pushes of a turn: V8 collects garbage some seconds later (milliseconds). */
const SETTLED_MS = 10_000;

/** How long they are watched before and after all turns, for what they take anyway (milliseconds). */
const IDLE_MS = 20_000;

/** A contender, and the containers of its nodes. */
export interface WorkingFleet {
  readonly contender: Contender;
  readonly nodes: readonly string[];
}

/** The processor time that one push takes of a node, without what the node takes anyway (milliseconds). */
export interface PushWork {
  readonly contender: string;
  readonly bytes: number;
  readonly node: Figures;
}

/** The processor time of all nodes of a fleet, and when it was read; or between two readings (milliseconds). */
interface Reading {
  readonly cpu: number;
  readonly at: number;
}

/** Lets fleets take turns. Until a while after the pushes of a turn, all that its nodes do counts. */
export async function measureWork(
  docker: Docker,
  fleets: readonly WorkingFleet[],
  sizes: readonly number[],
): Promise<PushWork[]> {
  const read = async ({ nodes }: WorkingFleet): Promise<Reading> => {
    return { cpu: sum(await processorTimes(docker, nodes)), at: performance.now() };
  };
  /** What is taken of the processors without pushes. */
  const idle = async (fleet: WorkingFleet): Promise<number> => {
    const before = await read(fleet);
    await pause(IDLE_MS);
    const after = await read(fleet);
    return (after.cpu - before.cpu) / (after.at - before.at);
  };
  const rows = fleets.map(fleet => {
    return { fleet, idle: [] as number[], sizes: sizes.map(bytes => ({ bytes, turns: [] as Reading[] })) };
  });
  const watchIdle = async (): Promise<void> => {
    await pause(SETTLED_MS);
    await Promise.all(rows.map(async row => row.idle.push(await idle(row.fleet))));
  };
  await watchIdle();
  for (let turn = 0; turn < TURNS; turn += 1) {
    const inOrder = rows.flatMap(({ fleet, sizes: all }) => all.map(each => ({ fleet, ...each })));
    for (const { fleet, bytes, turns } of turn % 2 === 0 ? inOrder : inOrder.toReversed()) {
      const before = await read(fleet);
      for (let pushed = 0; pushed < PUSHES; pushed += 1) {
        await fleet.contender.push(bytes);
        await pause(fleet.contender.pauseMs ?? 0);
      }
      await pause(SETTLED_MS);
      const after = await read(fleet);
      turns.push({ cpu: after.cpu - before.cpu, at: after.at - before.at });
    }
  }
  await watchIdle();
  return rows.flatMap(({ fleet: { contender, nodes }, idle: rates, sizes: all }) =>
    all.map(({ bytes, turns }) => {
      const own = turns.map(({ cpu, at: ms }) => (cpu - mean(rates) * ms) / PUSHES / nodes.length);
      return { contender: contender.name, bytes, node: figuresOf(own) };
    }),
  );
}
