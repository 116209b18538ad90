import { type ClusterConfig, type Env, loadClusterConfig } from '../../../shared/cluster-config.ts';
import type { PreflightLimits } from '../build/preflight/protocol.ts';

export interface ControllerConfig extends ClusterConfig {
  /** Where the command line reaches the controller: a Unix socket, so that nothing listens on the network. */
  readonly socketPath: string;
  /** The folder with one TypeScript file (or folder) a module. */
  readonly modulesDir: string;
  /** What a module may take to load, before it is sent anywhere: time (milliseconds) and memory (MB). */
  readonly preflight: PreflightLimits;
  /** The folder with the public keys that nodes trust. */
  readonly trustDir: string;
  /** How much the cookie's stream may hold, bytes. */
  readonly streamMayHold: number;
}

/**
 * Reads the cluster's variables, `CONTROLLER_SOCKET` (default `/run/hotcast/controller.sock`), `MODULES_DIR`
 * (default `/work/modules`), `TRUST_DIR` (default `/run/trust`), `PREFLIGHT_MAY_TAKE` (milliseconds, default 2000),
 * `PREFLIGHT_MEMORY` (MB, default 256) and `STREAM_MAY_HOLD` (MB, default 1024).
 *
 * @throws UsageError one line that names every bad variable.
 */
export function loadConfig(env: Env): ControllerConfig {
  const timeoutMs = Number(env['PREFLIGHT_MAY_TAKE'] || 2_000);
  const memory = Number(env['PREFLIGHT_MEMORY'] || 256);
  const streamMayHold = Number(env['STREAM_MAY_HOLD'] || 1_024);
  const problems: string[] = [];
  if (!isWithin(timeoutMs, 50, 60_000)) problems.push('PREFLIGHT_MAY_TAKE must be milliseconds from 50 to 60000');
  if (!isWithin(memory, 16, 65_536)) problems.push('PREFLIGHT_MEMORY must be MB from 16 to 65536');
  if (!isWithin(streamMayHold, 16, 65_536)) problems.push('STREAM_MAY_HOLD must be MB from 16 to 65536');
  const cluster = loadClusterConfig(env, problems);
  return {
    ...cluster,
    socketPath: env['CONTROLLER_SOCKET'] || '/run/hotcast/controller.sock',
    modulesDir: env['MODULES_DIR'] || '/work/modules',
    preflight: { timeoutMs, memory },
    trustDir: `${env['TRUST_DIR'] || '/run/trust'}/${cluster.cookie}`,
    streamMayHold: streamMayHold * 2 ** 20,
  };
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}
