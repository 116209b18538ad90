import type { Cluster } from './cluster.ts';

/** The newest head of every module, and the running revisions. */
export async function clusterState(cluster: Cluster): Promise<unknown> {
  const { result } = await cluster.status();
  return { heads: result.heads, revisions: await cluster.revisions() };
}

/**
 * Whether the container's health check would pass if it were less patient: it wants a file that is younger than 10 seconds, and
 * a healthy process touches it every 2 seconds.
 */
export async function isHealthy(cluster: Cluster, name = 'controller'): Promise<boolean> {
  const check = 'test $(($(date +%s) - $(stat -c %Y /run/hotcast/alive))) -lt 5';
  return (await cluster.exec(name, ['sh', '-c', check])).exitCode === 0;
}
