import { CLUSTER_SETTINGS, type ClusterConfig } from '../../../../shared/cluster-config.ts';
import { type Env, readSettings, type Warn } from '../../../../shared/settings.ts';

/**
 * Reads the settings of the auth callout. It serves every cookie of its NATS server, so its keys are not in the folder of one.
 *
 * @throws UsageError see {@link readSettings}
 */
export function loadConfig(env: Env, warn: Warn): ClusterConfig {
  return readSettings(env, CLUSTER_SETTINGS, warn);
}
