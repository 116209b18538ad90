import { type ClusterConfig, type Env, loadClusterConfig } from '../../protocol/config.ts';

export interface ControllerConfig extends ClusterConfig {
  /** Where the command line reaches the controller: a Unix socket, so that nothing listens on the network. */
  readonly socketPath: string;
  /** The folder with one TypeScript file (or folder) a module. */
  readonly modulesDir: string;
  /** The folder with the public keys that nodes trust. */
  readonly trustDir: string;
}

/**
 * Reads the cluster's variables, `CONTROLLER_SOCKET` (default `/run/hotcast/controller.sock`), `MODULES_DIR`
 * (default `/work/modules`) and `TRUST_DIR` (default `/run/trust`).
 *
 * @throws UsageError one line that names every bad variable.
 */
export function loadConfig(env: Env): ControllerConfig {
  const cluster = loadClusterConfig(env);
  return {
    ...cluster,
    socketPath: env['CONTROLLER_SOCKET'] || '/run/hotcast/controller.sock',
    modulesDir: env['MODULES_DIR'] || '/work/modules',
    trustDir: `${env['TRUST_DIR'] || '/run/trust'}/${cluster.cookie}`,
  };
}
