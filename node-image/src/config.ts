import { type ClusterConfig, type Env, loadClusterConfig } from '../../shared/cluster-config.ts';

export interface NodeConfig extends ClusterConfig {
  /** A file that is touched while the node is well; the container's healthcheck looks at its age. */
  readonly healthFile: string;
  /** The folder with the public keys that are trusted. */
  readonly trustDir: string;
  /** How long a push waits for calls on an old version, milliseconds. */
  readonly purgeTimeoutMs: number;
  /** How many characters a second each version of a module may log. */
  readonly logCharsPerSecond: number;
  /** Where modules are served by HTTP. */
  readonly httpPort: number;
  /** A module that blocks the event loop for longer brings the node down, milliseconds. */
  readonly maxBlockMs: number;
  /** So does one that makes the process larger than this, megabytes of resident memory. */
  readonly maxMemoryMb: number;
  /** Where the node remembers the revisions that brought it down; has to outlive the container's restarts. */
  readonly bansFile: string;
}

/**
 * Reads the cluster's variables, `TRUST_DIR` (default `/run/trust`), `ALIVE_FILE` (default `/run/hotcast/alive`),
 * `PURGE_MAY_TAKE` (milliseconds, default 3000), `LOOP_MAY_BLOCK` (milliseconds, default 5000, at least 500),
 * `MEMORY_MAY_USE` (megabytes, default 512, at least 100), `BANS_FILE` (default `/var/lib/hotcast/bans.json`),
 * `LOG_MAY_WRITE` (characters a second, default 100000) and `HTTP_PORT` (default 8080; 0 for one that is free).
 *
 * @throws UsageError one line that names every bad variable.
 */
export function loadConfig(env: Env): NodeConfig {
  const problems: string[] = [];
  const number = (name: string, fallback: number, unit: string, least = 0): number => {
    const value = Number(env[name] || fallback);
    if (Number.isFinite(value) && value >= least) return value;
    problems.push(`${name} must be a number of ${unit}${least === 0 ? '' : `, at least ${least}`}`);
    return fallback;
  };
  const limits = {
    purgeTimeoutMs: number('PURGE_MAY_TAKE', 3_000, 'milliseconds'),
    maxBlockMs: number('LOOP_MAY_BLOCK', 5_000, 'milliseconds', 500),
    maxMemoryMb: number('MEMORY_MAY_USE', 512, 'megabytes', 100),
    logCharsPerSecond: number('LOG_MAY_WRITE', 100_000, 'characters a second'),
  };
  const httpPort = Number(env['HTTP_PORT'] || 8080);
  if (!Number.isInteger(httpPort) || httpPort < 0 || httpPort > 65_535) {
    problems.push('HTTP_PORT must be a port, 0 to 65535');
  }
  const cluster = loadClusterConfig(env, problems);
  return {
    ...cluster,
    ...limits,
    httpPort,
    trustDir: `${env['TRUST_DIR'] || '/run/trust'}/${cluster.cookie}`,
    healthFile: env['ALIVE_FILE'] || '/run/hotcast/alive',
    bansFile: env['BANS_FILE'] || '/var/lib/hotcast/bans.json',
  };
}
