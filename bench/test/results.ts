import { figuresOfCalls } from '../calls/calls.ts';
import { figuresOfTurns } from '../http/http.ts';
import type { Turns } from '../http/main.ts';
import type { Results } from '../results.ts';
import { pushFigures } from '../rounds.ts';

const figures = (p50: number, p99 = 2 * p50) => ({ count: 20, p50, p99 });

/** Three pushes of 10 KB around a time, which is their median. */
export function pushesAround(contender: string, ms: number, skew: number | null) {
  const sample = (each: number) => ({ ms: each, skew, phases: { prepare: each - 2, commit: 2 } });
  return pushFigures(contender, 10_240, [ms - 0.5, ms, ms + 0.5].map(sample));
}

const calls = { calls: 600, failed: 0, failures: {}, longestGap: 10, p50: 2, p99: 5 };
const processor = { nats: 10, controller: 20, nodes: 30 };
const idle = { memory: figures(45e6), rss: figures(80e6), cpu: figures(0.004), image: 289e6 };
const reached = { nodes: 30, nodesReached: 30, rollouts: 100, newCode: figures(50), quiet: calls, during: calls };
const memory = { memoryPerNode: 100e3, natsMemoryPerNode: 50e3, controllerMemory: 200e6, idle: processor };
const simulated = { bytes: 10_240, startMs: 900, phases: { prepare: 1 }, skew: figures(1), pushCost: processor };
const wire = { sentPerNode: 9_000, receivedPerNode: 700, bareCost: processor };
const phases = { compile: 30, prepare: 12, commit: 8, rest: 10 };

export const hotCall = { name: 'adds', plain: 2, hot: 2.4, proxy: 20, ratio: 1.2, bytes: 0 };
const natsCalls = (share: number) => ({ perSecond: 60_000 * share, cpuUs: 3 / share, p99: 1 / share });
const pushed = (ms: number) => ({ ms, prepare: ms / 2, write: 1, commit: ms / 2 - 1, controller: 4, nats: 8, node: 2 });
const start = (ms: number) => ({ ready: figures(ms), cpu: figures(ms / 2) });

/** Two rounds of a reference, and of a hot module that serves this share of its requests. */
export function serversOf(name: string, reference: string, share: number): Turns[] {
  const turns = (part: number) => [10_000, 20_000].map(all => ({ perSecond: all * part, cpuUs: 40 / part, p99: 2 }));
  return [
    { case: name, server: 'hotcast', turns: turns(share) },
    { case: name, server: reference, turns: turns(1) },
  ];
}

/** A run that has just reached every target. */
export const REACHED: Results & {
  readonly http: object;
  readonly calls: object;
  readonly joining: object;
  readonly push: object;
  readonly tail: object;
  readonly restarts: object;
} = {
  at: '2026-11-22T16:00:00.000Z',
  machine: { hardware: '2 cores', engine: '20.10', node: '26.1', nats: '2.15.1', 'host node': '20.20' },
  otp: '27',
  nodes: 30,
  warmUp: 5,
  http: figuresOfTurns({
    turns: [...serversOf('GET', 'node-server', 0.9), ...serversOf('WebSocket', 'ws', 0.8)],
    rss: { hotcast: 100e6 },
  }),
  calls: {
    hot: { swapped: [hotCall], inlined: [hotCall], first: hotCall },
    nats: figuresOfCalls({ hotcast: [natsCalls(0.5)], services: [natsCalls(1)] }),
  },
  push: [
    pushesAround('Hotcast', 13, 1),
    pushesAround('Hotcast of the other checkout', 20, 1),
    pushesAround('Erlang multicall', 13, 4),
    pushesAround('NATS round trip', 6.5, null),
  ],
  work: [
    { contender: 'Hotcast', bytes: 10_240, node: figures(1.3) },
    { contender: 'Hotcast of the other checkout', bytes: 10_240, node: figures(2) },
  ],
  joining: { modules: 200, bytes: 5_120, none: start(300), all: start(800), status: figures(100) },
  edit: {
    bytes: 10_240,
    command: { wall: figures(200), cluster: figures(25), phases: {} },
    dev: { wall: figures(60), cluster: figures(20), phases },
    small: { wall: figures(50), cluster: figures(15), phases },
  },
  tail: { lines: 1_000, without: figures(50), shown: figures(55), grown: 20e6 },
  console: {
    without: { ...figures(100), work: 0 },
    metrics: { ...figures(100), work: 0 },
    alone: { ...figures(102), work: 3 },
    shown: { ...figures(105), work: 5 },
    idle: { alone: 0.01, looking: 0.02 },
  },
  cost: [{ contender: 'Hotcast', idle, startMs: 9_000, firstMs: 19.5, wire: { received: 9_000, sent: 700 } }],
  restarts: {
    rate: 200,
    contenders: [{ contender: 'Hotcast, 100 pushes', ...reached, state: { nodesKept: 30, callsForgotten: 0 } }],
  },
  scale: {
    containers: [{ nodes: 30, push: pushesAround('Hotcast', 10, 1) }],
    simulated: [100, 10_000].map(nodes => {
      return { ...simulated, ...memory, ...wire, nodes, push: figures(nodes / 10), bare: figures(nodes / 20) };
    }),
  },
  idle: {
    minutes: 60,
    started: { first: pushed(90), later: pushed(40) },
    rested: { first: pushed(60), later: pushed(40) },
  },
};
