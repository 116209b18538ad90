import { Cluster } from './cluster.ts';
import { converge, lawsOf } from './laws.ts';
import { FIRST_NODES, MODULES } from './orders.ts';
import { sourceOf } from './source.ts';

/** Runs a test in a cluster of its own, which keeps the laws and converges at the end. */
export async function inCluster(run: (cluster: Cluster) => Promise<void>): Promise<void> {
  using cluster = new Cluster(lawsOf(MODULES));
  for (const name of FIRST_NODES) await cluster.start(name);
  await run(cluster);
  await converge(cluster);
}

interface Pushed {
  readonly module: string;
  readonly version: number;
  readonly throwsOn?: readonly string[];
  readonly needs?: readonly string[];
}

/** A push of modules that load. */
export const push = (...sources: readonly Pushed[]) => ({
  type: 'push' as const,
  sources: sources.map(source => sourceOf({ throwsOn: [], isBroken: false, needs: [], mentions: [], ...source })),
  canary: null,
});
