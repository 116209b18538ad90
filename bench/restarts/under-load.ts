import { setTimeout as sleep } from 'node:timers/promises';

import { median, percentile } from '../runtime/numbers.ts';
import { type CallFigures, callFigures } from './call.ts';
import { ConstantLoad } from './constant-load.ts';
import { MODULE } from './tally.ts';

/** How long calls are made before anything is ordered, to compare with (milliseconds). */
const QUIET = 3_000;

/** How long calls go on once all nodes have served the new code (milliseconds). */
const AFTERMATH = 1_000;

/** The nodes' counters, by host name. */
export type Counters = ReadonlyMap<string, number>;

/** What one way to bring new code to a fleet cost those who call it. */
export interface RestartFigures {
  readonly contender: string;
  readonly nodes: number;
  /** How many of the nodes were brought new code: fewer than there are where time was up. */
  readonly nodesReached: number;
  /** How often new code was brought to them. */
  readonly rollouts: number;
  /**
   * From the order until every node had answered with the new code (milliseconds; one value where there is one
   * rollout). With fewer nodes reached, the time for those, times all nodes by nodes reached.
   */
  readonly newCode: { readonly p50: number; readonly p99: number };
  /** Calls before the order. */
  readonly quiet: CallFigures;
  /** Calls from the first order until a second after every node had served the newest code through the proxy. */
  readonly during: CallFigures;
  readonly state: {
    /** Nodes whose counter was not behind what it had been before the order, of those that were reached. */
    readonly nodesKept: number;
    /** Calls that were answered, and that no counter knows of any more. */
    readonly callsForgotten: number;
  };
}

/** A fleet that serves the function. */
export interface Served {
  /** The proxy's port on 127.0.0.1. */
  readonly port: number;
  readonly nodes: number;
  /** The version that the nodes run. */
  readonly version: number;
  counters(): Promise<Counters>;
}

/** What came of an order to bring new code to a fleet. */
export interface Rollout {
  readonly version: number;
  readonly nodesReached: number;
  /** Of each time: from the order until all nodes that were reached had answered (milliseconds). */
  readonly times: readonly number[];
  /** The counters of the nodes that were reached, in an answer of the new code. */
  readonly counters: Counters;
}

/** Measures a rollout under a constant load of so many calls a second. */
export async function underLoad(
  contender: string,
  fleet: Served,
  rate: number,
  rollOut: (load: ConstantLoad) => Promise<Rollout>,
): Promise<RestartFigures> {
  const { nodes, port } = fleet;
  const idle = await fleet.counters();
  await using load = new ConstantLoad(`http://127.0.0.1:${port}/${MODULE}/`, rate);
  await load.seen(fleet.version, nodes);
  const quietFrom = performance.now();
  await sleep(QUIET);
  const before = await fleet.counters();

  const orderedAt = performance.now();
  const { version, nodesReached, times, counters } = await rollOut(load);
  await load.seen(version, nodesReached);
  await sleep(AFTERMATH);
  const endedAt = performance.now();
  await load.stop();

  const kept = [...counters].filter(([node, count]) => count >= (before.get(node) ?? Infinity));
  const answered = load.calls.filter(({ failure }) => failure === null).length;
  return {
    contender,
    nodes,
    nodesReached,
    rollouts: times.length,
    newCode: {
      p50: (median(times) * nodes) / nodesReached,
      p99: (percentile(times, 0.99) * nodes) / nodesReached,
    },
    quiet: callFigures(load.calls, quietFrom, orderedAt),
    during: callFigures(load.calls, orderedAt, endedAt),
    state: {
      nodesKept: kept.length,
      callsForgotten: Math.max(0, sum(idle) + answered - sum(await fleet.counters())),
    },
  };
}

function sum(counters: Counters): number {
  return [...counters.values()].reduce((all, count) => all + count, 0);
}
