import { setTimeout as pause } from 'node:timers/promises';

import type Docker from 'dockerode';
import { sum } from 'simple-statistics';

import { processorTimes } from '../docker.ts';
import type { Contender } from '../rounds.ts';
import { type Figures, figuresOf } from '../stats.ts';

/** Pushes of a turn, and turns of each contender and size. */
const PUSHES = 8;
const TURNS = 6;

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

/** Lets fleets take turns. After the pushes of a turn, its nodes are watched for as long without pushes. */
export async function measureWork(
  docker: Docker,
  fleets: readonly WorkingFleet[],
  sizes: readonly number[],
): Promise<PushWork[]> {
  const rows = sizes.flatMap(bytes => fleets.map(fleet => ({ ...fleet, bytes, turns: [] as number[] })));
  for (let turn = 0; turn < TURNS; turn += 1) {
    for (const { contender, nodes, bytes, turns } of turn % 2 === 0 ? rows : rows.toReversed()) {
      const read = async (): Promise<number> => sum(await processorTimes(docker, nodes));
      const [before, startedAt] = [await read(), performance.now()];
      for (let pushed = 0; pushed < PUSHES; pushed += 1) {
        await contender.push(bytes);
        await pause(contender.pauseMs ?? 0);
      }
      const [between, endedAt] = [await read(), performance.now()];
      await pause(endedAt - startedAt);
      const [after, quietAt] = [await read(), performance.now()];
      const idle = ((after - between) / (quietAt - endedAt)) * (endedAt - startedAt);
      turns.push((between - before - idle) / PUSHES / nodes.length);
    }
  }
  return rows.map(({ contender, bytes, turns }) => ({ contender: contender.name, bytes, node: figuresOf(turns) }));
}
