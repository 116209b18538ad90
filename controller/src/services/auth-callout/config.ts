import { type ClusterConfig, type Env, loadClusterConfig } from '../../../../shared/cluster-config.ts';

/** The door serves every cookie of its NATS server, so its keys are not in a folder of one. */
export type AuthCalloutConfig = Omit<ClusterConfig, 'cookie'>;

/** Reads the cluster's variables. @throws UsageError one line that names every bad variable. */
export function loadConfig(env: Env): AuthCalloutConfig {
  const { natsUrl, logLevel } = loadClusterConfig(env);
  return { natsUrl, logLevel, keysDir: env['KEYS_DIR'] || '/run/keys' };
}
