import { setTimeout as pause } from 'node:timers/promises';

import Docker from 'dockerode';

import type { Hotcast } from '../hotcast.ts';
import { figuresOf } from '../stats.ts';
import { subjectSource } from '../subject.ts';

/** The modules that a node starts with, and the size of the code of each (bytes). */
const MODULES = 200;
const BYTES = 5_120;

/** How many modules are pushed together. */
const PUSHED = 10;

/** The port that a node opens when it runs its modules. */
const PORT = 8_080;

/** The time between two looks at a node that starts, and after its start (milliseconds). */
const LOOK_INTERVAL_MS = 5;
const SETTLED_MS = 500;

/** A node that is not ready by then has failed (milliseconds). */
const START_TIMEOUT_MS = 60_000;

export type Joining = Awaited<ReturnType<typeof measureJoining>>;

/** One start of a node (milliseconds): until it runs its modules, and its processor time until then. */
type Start = Awaited<ReturnType<typeof restart>>;

/**
 * Restarts in turns a node of a cluster with many modules, and one of a cluster without any. After each turn, compares what should
 * run with what runs on all nodes of the first cluster.
 */
export async function measureJoining(full: Hotcast, empty: Hotcast, rounds: number, warmUp: number) {
  const names = Array.from({ length: MODULES }, (_, index) => `joined-${index}`);
  names.forEach((name, index) => full.write(name, subjectSource(BYTES, index)));
  // Not all together: a node applies what was pushed together in one step.
  for (let from = 0; from < MODULES; from += PUSHED) await full.push(names.slice(from, from + PUSHED));
  const docker = new Docker();
  const nodeOf = async ({ fleet }: Hotcast): Promise<Docker.Container> =>
    docker.getContainer((await fleet.ids('node'))[0] ?? '');
  const [joining, alone] = [await nodeOf(full), await nodeOf(empty)];
  const all: Start[] = [];
  const none: Start[] = [];
  const status: number[] = [];
  for (let round = -warmUp; round < rounds; round += 1) {
    none.push(await restart(alone));
    all.push(await restart(joining));
    status.push(await timeOf(async () => expectRows(full, await full.line.status())));
  }
  const figures = (starts: readonly Start[]) => ({
    ready: figuresOf(starts.slice(warmUp).map(({ ms }) => ms)),
    cpu: figuresOf(starts.slice(warmUp).map(({ cpu }) => cpu)),
  });
  await full.clear();
  return {
    modules: MODULES,
    bytes: BYTES,
    none: figures(none),
    all: figures(all),
    /** `status` of all modules on all nodes, from the command until its result is read (milliseconds). */
    status: figuresOf(status.slice(warmUp)),
  };
}

/** Stops a node and starts it again. @throws Error when it is not ready in time */
async function restart(node: Docker.Container) {
  await node.stop();
  await node.start();
  const { State, NetworkSettings } = await node.inspect();
  const [network] = Object.values(NetworkSettings.Networks);
  const url = `http://${network?.IPAddress ?? ''}:${PORT}/`;
  const startedAt = Date.parse(State.StartedAt);
  while (!(await isReady(url))) {
    if (Date.now() - startedAt > START_TIMEOUT_MS) throw new Error('the node is not ready');
    await pause(LOOK_INTERVAL_MS);
  }
  const ms = Date.now() - startedAt;
  const { cpu_stats } = await node.stats({ stream: false, 'one-shot': true });
  await pause(SETTLED_MS);
  return { ms, cpu: cpu_stats.cpu_usage.total_usage / 1e6 };
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

async function timeOf(body: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await body();
  return performance.now() - startedAt;
}

/** @throws Error when not every node runs every module. */
function expectRows({ nodes: count }: Hotcast, { nodes }: Awaited<ReturnType<Hotcast['line']['status']>>): void {
  const ok = nodes.filter(({ state }) => state === 'ok').length;
  if (ok !== count * MODULES) throw new Error(`${ok} of ${count * MODULES} rows are ok`);
}
