import type { Cluster } from './cluster.ts';

/** The newest head of every module, and the running revisions. */
export async function clusterState(cluster: Cluster): Promise<unknown> {
  const { result } = await cluster.status();
  return { heads: result.heads, revisions: await cluster.revisions() };
}
