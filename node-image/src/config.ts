import { type ClusterConfig, type Env, loadClusterConfig } from '../../protocol/config.ts';

export interface NodeConfig extends ClusterConfig {
  /** A file that is touched while the node is well; the container's healthcheck looks at its age. */
  readonly aliveFile: string;
}

/**
 * Reads the cluster's variables and `ALIVE_FILE` (default `/run/hotcast/alive`).
 *
 * @throws UsageError one line that names every bad variable.
 */
export function loadConfig(env: Env): NodeConfig {
  return { ...loadClusterConfig(env), aliveFile: env['ALIVE_FILE'] || '/run/hotcast/alive' };
}
