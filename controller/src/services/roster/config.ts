import { type ClusterConfig, type Env, loadClusterConfig } from '../../../../shared/cluster-config.ts';

export interface RosterConfig extends ClusterConfig {
  /** A container is a node of this cluster when it has all of these labels, `key=value`. */
  readonly labels: readonly string[];
}

/**
 * Reads the cluster's variables and `NODE_LABELS`, comma-separated.
 *
 * @throws UsageError one line that names every bad variable.
 */
export function loadConfig(env: Env): RosterConfig {
  const labels = (env['NODE_LABELS'] ?? '').split(',').filter(label => label !== '');
  const problems = labels.length === 0 ? ['NODE_LABELS must name the labels of the node containers, key=value,…'] : [];
  return { ...loadClusterConfig(env, problems), labels };
}
