import { arch, cpus, release, totalmem, type } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';

import type Docker from 'dockerode';
import { mean, sum } from 'simple-statistics';

import { run } from './run.ts';
import { figuresOf } from './stats.ts';

/** How long idle nodes are watched, and nodes without pushes before those with pushes (milliseconds). */
const IDLE_MS = 5_000;
const QUIET_MS = 2_000;

/** The price of a node of a fleet while nothing is asked of it. */
export async function idleCost(docker: Docker, ids: readonly string[], image: string) {
  const before = await readingsOf(docker, ids);
  await pause(IDLE_MS);
  const after = await readingsOf(docker, ids);
  return {
    /** Bytes, as `docker stats` shows them. */
    memory: figuresOf(after.map(({ memory }) => memory)),
    /** Resident pages of the processes (bytes). Pages of files that nodes share count for each. */
    rss: figuresOf(await Promise.all(ids.map(id => residentBytes(docker, id)))),
    /** Cores. */
    cpu: figuresOf(after.map((reading, index) => cpuShare(before[index] ?? reading, reading))),
    /** The image with its base (bytes). */
    image: (await docker.getImage(image).inspect()).Size,
  };
}

/** What one push adds to the traffic of one node's network interfaces, with all headers (bytes). */
export async function wireCost(docker: Docker, ids: readonly string[], pushes: number, push: () => Promise<unknown>) {
  const first = await readingsOf(docker, ids);
  await pause(QUIET_MS);
  const second = await readingsOf(docker, ids);
  for (let pushed = 0; pushed < pushes; pushed += 1) await push();
  const third = await readingsOf(docker, ids);
  const grown = (kind: 'at' | 'received' | 'sent', from: readonly Reading[], to: readonly Reading[]): number =>
    mean(to.map(each => each[kind])) - mean(from.map(each => each[kind]));
  // Heartbeats and pings are not the push's.
  const share = (kind: 'received' | 'sent'): number =>
    (grown(kind, second, third) -
      (grown(kind, first, second) * grown('at', second, third)) / grown('at', first, second)) /
    pushes;
  return { received: share('received'), sent: share('sent') };
}

/** The memory of containers now, as `docker stats` shows it (bytes). */
export async function memoryOf(docker: Docker, ids: readonly string[]): Promise<number[]> {
  return (await readingsOf(docker, ids)).map(({ memory }) => memory);
}

/** The processor time of containers since their start (milliseconds). */
export async function processorTimes(docker: Docker, ids: readonly string[]): Promise<number[]> {
  return (await readingsOf(docker, ids)).map(({ cpu }) => cpu);
}

type Reading = Awaited<ReturnType<typeof readingsOf>>[number];

/** The engine's statistics of containers: processor time and bytes since their start, memory now; milliseconds, bytes. */
function readingsOf(docker: Docker, ids: readonly string[]) {
  return Promise.all(
    ids.map(async id => {
      const stats = await docker.getContainer(id).stats({ stream: false, 'one-shot': true });
      const interfaces = Object.values(stats.networks);
      return {
        at: Date.parse(stats.read),
        cpu: stats.cpu_stats.cpu_usage.total_usage / 1e6,
        memory: workingSet(stats.memory_stats),
        received: sum(interfaces.map(({ rx_bytes }) => rx_bytes)),
        sent: sum(interfaces.map(({ tx_bytes }) => tx_bytes)),
      };
    }),
  );
}

async function residentBytes(docker: Docker, id: string): Promise<number> {
  const { Processes } = (await docker.getContainer(id).top({ ps_args: '-o pid,rss' })) as { Processes: string[][] };
  return sum(Processes.map(([, kibibytes]) => Number(kibibytes) * 1_024));
}

/** Without the page cache that can be freed at once: the rule of `docker stats`, for control groups of version 1 and 2. */
export function workingSet(memory: { readonly usage: number; readonly stats: object }): number {
  const { total_inactive_file, inactive_file } = memory.stats as Readonly<Record<string, number | undefined>>;
  const reclaimable = total_inactive_file ?? inactive_file ?? 0;
  return reclaimable < memory.usage ? memory.usage - reclaimable : memory.usage;
}

/** The cores that were used between two readings. */
export function cpuShare(before: Pick<Reading, 'at' | 'cpu'>, after: Pick<Reading, 'at' | 'cpu'>): number {
  return (after.cpu - before.cpu) / (after.at - before.at);
}

/** What everything is measured on: a line on the hardware, and versions. */
export async function describeMachine(docker: Docker, images: { readonly node: string; readonly nats: string }) {
  const versionOf = async (image: string, program: string): Promise<string> =>
    (await run('docker', ['run', '--rm', image, program, '--version'])).trim().replace(/^.*v/, '');
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return {
    hardware: `${cpus().length} cores, ${cpus()[0]?.model.trim() ?? ''}, ${memory}, ${type()} ${release()} ${arch()}`,
    engine: (await docker.version()).Version,
    node: await versionOf(images.node, 'node'),
    nats: await versionOf(images.nats, 'nats-server'),
    'host node': process.versions.node,
  };
}
