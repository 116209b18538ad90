import { expect } from 'vitest';

import type { Cluster } from './cluster.ts';

/** All nodes run their heads within this time, also on a busy machine (milliseconds). */
const CONVERGENCE_TIMEOUT_MS = 45_000;

/** Waits until every node runs the revisions that the heads name. */
export async function waitForConvergence(cluster: Cluster): Promise<void> {
  const drift = async () => {
    const { exitCode, result } = await cluster.status();
    return { exitCode, nodes: result.nodes.filter(({ state }) => state !== 'ok') };
  };
  await expect.poll(drift, { timeout: CONVERGENCE_TIMEOUT_MS }).toEqual({ exitCode: 0, nodes: [] });
}

/** Waits until the controller and all nodes have found NATS again that was lost at a time (milliseconds since 1970). */
export async function waitForReconnection(cluster: Cluster, lostAt: number): Promise<void> {
  await Promise.all(
    ['controller', ...cluster.nodeNames].map(name =>
      cluster.waitForLog(name, ({ msg }) => msg === 'reconnected to NATS', lostAt),
    ),
  );
}

/** The different revisions of a module that the nodes run: one entry when all agree; null stands for no revision. */
export async function runningRevisions(cluster: Cluster, module: string): Promise<(string | null)[]> {
  const revisions = Object.values(await cluster.revisions()).map(modules => modules?.[module] ?? null);
  return [...new Set(revisions)];
}
