import { type ClusterConfig, type Env, loadClusterConfig } from '../../protocol/config.ts';

export interface NodeConfig extends ClusterConfig {
  /** A file that is touched while the node is well; the container's healthcheck looks at its age. */
  readonly aliveFile: string;
  /** The folder with the public keys that are trusted. */
  readonly trustDir: string;
  /** How long a push waits for calls on an old version, milliseconds. */
  readonly purgeMayTake: number;
  /** How many characters a second each version of a module may log. */
  readonly logMayWrite: number;
  /** Where modules are served by HTTP. */
  readonly httpPort: number;
}

/**
 * Reads the cluster's variables, `TRUST_DIR` (default `/run/trust`), `ALIVE_FILE` (default `/run/hotcast/alive`),
 * `PURGE_MAY_TAKE` (milliseconds, default 3000), `LOG_MAY_WRITE` (characters a second, default 100000) and `HTTP_PORT`
 * (default 8080; 0 for one that is free).
 *
 * @throws UsageError one line that names every bad variable.
 */
export function loadConfig(env: Env): NodeConfig {
  const problems: string[] = [];
  const amount = (name: string, standard: number, unit: string): number => {
    const value = Number(env[name] || standard);
    if (!Number.isFinite(value) || value < 0) problems.push(`${name} must be a number of ${unit}`);
    return value;
  };
  const purgeMayTake = amount('PURGE_MAY_TAKE', 3_000, 'milliseconds');
  const logMayWrite = amount('LOG_MAY_WRITE', 100_000, 'characters a second');
  const httpPort = Number(env['HTTP_PORT'] || 8080);
  if (!Number.isInteger(httpPort) || httpPort < 0 || httpPort > 65_535) {
    problems.push('HTTP_PORT must be a port, 0 to 65535');
  }
  const cluster = loadClusterConfig(env, problems);
  const trustDir = `${env['TRUST_DIR'] || '/run/trust'}/${cluster.cookie}`;
  const aliveFile = env['ALIVE_FILE'] || '/run/hotcast/alive';
  return { ...cluster, trustDir, aliveFile, purgeMayTake, logMayWrite, httpPort };
}
