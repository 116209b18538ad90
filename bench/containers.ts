import { setTimeout as pause } from 'node:timers/promises';

import type Docker from 'dockerode';

/** What a container costs. */
export interface ContainerCost {
  readonly id: string;
  /** All that its control group is charged with, the page cache too (bytes). */
  readonly charged: number;
  /** As `docker stats` shows it: without the page cache that could go at once (bytes). */
  readonly memory: number;
  /** Resident pages of its processes, summed; pages of files that they share count for each (bytes). */
  readonly rss: number;
  /** Processor time used in a second of wall time (seconds); 1 is a core. */
  readonly cpu: number;
}

/** Asks the engine what running containers use, over some seconds. */
export function containerCosts(docker: Docker, ids: readonly string[], seconds: number): Promise<ContainerCost[]> {
  return Promise.all(
    ids.map(async id => {
      const container = docker.getContainer(id);
      const before = await container.stats(ONCE);
      await pause(seconds * 1_000);
      const after = await container.stats(ONCE);
      const processes = (await container.top({ ps_args: '-o pid,rss' })) as { readonly Processes: string[][] };
      return {
        id,
        charged: after.memory_stats.usage,
        memory: workingSet(after.memory_stats),
        rss: processes.Processes.reduce((sum, [, kibibytes]) => sum + Number(kibibytes) * 1_024, 0),
        cpu: cpuShare(before, after),
      };
    }),
  );
}

/** An image's size on disk, with the layers that it shares with others (bytes). */
export async function imageBytes(docker: Docker, image: string): Promise<number> {
  return (await docker.getImage(image).inspect()).Size;
}

/** One reading, without the second that the engine waits for a rate of its own. */
const ONCE = { stream: false, 'one-shot': true } as const;

/** The rule of the `docker stats` command, for control groups of version 1 (`total_inactive_file`) and 2. */
export function workingSet(memory: { readonly usage: number; readonly stats: object }): number {
  const { total_inactive_file, inactive_file } = memory.stats as Readonly<Record<string, number | undefined>>;
  const reclaimable = total_inactive_file ?? inactive_file ?? 0;
  return reclaimable < memory.usage ? memory.usage - reclaimable : memory.usage;
}

interface CpuReading {
  /** When it was read, as an ISO time. */
  readonly read: string;
  /** Nanoseconds. */
  readonly cpu_stats: { readonly cpu_usage: { readonly total_usage: number } };
}

/** Processor seconds used in a second of wall time, between two readings. */
export function cpuShare(before: CpuReading, after: CpuReading): number {
  const used = after.cpu_stats.cpu_usage.total_usage - before.cpu_stats.cpu_usage.total_usage;
  return used / 1_000_000 / (Date.parse(after.read) - Date.parse(before.read));
}
