import { expect } from 'vitest';

import type { Cluster } from './cluster.ts';

/** Nodes that can reach NATS are on their heads within this time, on a busy machine too (milliseconds). */
const SOON = 15_000;

/** Waits until every node runs what the heads say, with nobody pushing. */
export async function onHeads(cluster: Cluster): Promise<void> {
  const drift = async () => {
    const { exitCode, result } = await cluster.status();
    return { exitCode, nodes: result.nodes.filter(({ state }) => state !== 'ok') };
  };
  await expect.poll(drift, { timeout: SOON }).toEqual({ exitCode: 0, nodes: [] });
}

/** What the nodes run of a module: one entry when they agree, null for nothing. */
export async function running(cluster: Cluster, module: string): Promise<(string | null)[]> {
  const revisions = Object.values(await cluster.revisions()).map(modules => modules?.[module] ?? null);
  return [...new Set(revisions)];
}
