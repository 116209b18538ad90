import type { PushSample } from '../../../bench/contender.ts';
import { type Figures, pushFigures } from '../../../bench/figures.ts';
import type { Results } from '../../../bench/results.ts';

const figures = (p50: number, p99 = 2 * p50): Figures => ({ count: 20, p50, p99 });

/** Samples around a time, of which it is the median. */
export function samplesOf(ms: number, skew: number | null): PushSample[] {
  return [ms - 0.5, ms, ms + 0.5].map(each => ({ ms: each, skew, phases: { prepare: each - 2, commit: 2 } }));
}

/** What a run found in which every target was just reached. */
export const REACHED: Results = {
  at: '2026-11-22T16:00:00.000Z',
  machine: {
    cores: 2,
    processor: 'A processor',
    memory: 24 * 2 ** 30,
    kernel: 'Linux 6.1 x64',
    versions: { engine: '20.10', node: '26.1', nats: '2.15.1', 'host node': '20.20' },
  },
  otp: '27',
  nodes: 30,
  warmUp: 5,
  push: [
    pushFigures('Hotcast', 10_240, samplesOf(10, 1)),
    pushFigures('Erlang multicall', 10_240, samplesOf(80, 4)),
    pushFigures('NATS round trip', 10_240, samplesOf(5, null)),
  ],
  edit: {
    bytes: 10_240,
    command: { wall: figures(400), cluster: figures(25) },
    warm: { wall: figures(60), cluster: figures(20), phases: { compile: 30, prepare: 12, commit: 8, rest: 10 } },
  },
  cost: {
    idle: [
      {
        contender: 'Hotcast',
        memory: figures(45e6),
        rss: figures(80e6),
        cpu: figures(0.004),
        image: 289e6,
        start: 9_000,
      },
    ],
    wire: [{ contender: 'Hotcast', bytes: 10_240, received: 9_000, sent: 700 }],
  },
  restarts: {
    rate: 200,
    plainStart: 8_000,
    contenders: [
      {
        contender: 'Hotcast, 100 pushes',
        nodes: 30,
        nodesReached: 30,
        rollouts: 100,
        newCode: figures(50),
        quiet: { seconds: 3, calls: 600, failed: 0, failures: {}, longestGap: 10, p50: 2, p99: 5 },
        during: { seconds: 30, calls: 6_000, failed: 0, failures: {}, longestGap: 12, p50: 2, p99: 6 },
        state: { nodesKept: 30, callsForgotten: 0 },
      },
    ],
  },
  scale: {
    containers: [{ nodes: 30, push: pushFigures('Hotcast', 10_240, samplesOf(10, 1)) }],
    simulated: [100, 10_000].map(nodes => ({
      nodes,
      started: { nodes, ms: 900 },
      memoryPerNode: 100e3,
      natsMemoryPerNode: 50e3,
      controllerMemory: 200e6,
      idle: { nats: 10, controller: 20, nodes: 30 },
      pushes: [
        {
          bytes: 10_240,
          push: { median: nodes / 10, p99: nodes / 5 },
          phases: { prepare: 1 },
          skew: { median: 1, p99: 2 },
          bare: { median: nodes / 20, p99: nodes / 10 },
          pushCost: { nats: 1, controller: 1, nodes: 1 },
          bareCost: { nats: 1, controller: 1, nodes: 1 },
          sentPerNode: 9_000,
          takenPerNode: 700,
        },
      ],
    })),
  },
};
