import type { Cluster } from '../cluster.ts';

/** Something that happens to a cluster; `check` says whether it can happen now. */
export function command(
  text: string,
  run: (cluster: Cluster) => Promise<void>,
  check = (_cluster: Cluster): boolean => true,
) {
  return { check, run: (_model: Cluster, cluster: Cluster) => run(cluster), toString: () => text };
}
