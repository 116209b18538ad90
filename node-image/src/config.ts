import { type ClusterConfig, type Env, loadClusterConfig } from '../../protocol/config.ts';

export interface NodeConfig extends ClusterConfig {
  /** A file that is touched while the node is well; the container's healthcheck looks at its age. */
  readonly aliveFile: string;
  /** The folder with the public keys that are trusted. */
  readonly trustDir: string;
  /** How long a push waits for calls on an old version, milliseconds. */
  readonly purgeMayTake: number;
}

/**
 * Reads the cluster's variables, `TRUST_DIR` (default `/run/trust`), `ALIVE_FILE` (default `/run/hotcast/alive`) and `PURGE_MAY_TAKE` (milliseconds, default
 * 3000).
 *
 * @throws UsageError one line that names every bad variable.
 */
export function loadConfig(env: Env): NodeConfig {
  const purgeMayTake = Number(env['PURGE_MAY_TAKE'] || 3_000);
  const isTime = Number.isFinite(purgeMayTake) && purgeMayTake >= 0;
  const cluster = loadClusterConfig(env, isTime ? [] : ['PURGE_MAY_TAKE must be a number of milliseconds']);
  const trustDir = `${env['TRUST_DIR'] || '/run/trust'}/${cluster.cookie}`;
  return { ...cluster, trustDir, aliveFile: env['ALIVE_FILE'] || '/run/hotcast/alive', purgeMayTake };
}
