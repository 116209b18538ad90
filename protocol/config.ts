import { UsageError } from './errors.ts';
import { COOKIE_RULE, isCookie } from './names.ts';

/** Reads one environment variable; gives the value, or pushes a line onto `problems`. */
export type Env = Readonly<Record<string, string | undefined>>;

/** What every process of a cluster needs to know. */
export interface ClusterConfig {
  /** The cluster's name and address; every subject carries it. */
  readonly cookie: string;
  /** Where NATS listens, e.g. `nats://nats:4222`. */
  readonly natsUrl: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

/**
 * Reads `COOKIE` (default `dino`), `NATS_URL` (default `nats://nats:4222`) and `LOG_LEVEL` (default `info`).
 *
 * @throws UsageError one line that names every bad variable at once.
 */
export function loadClusterConfig(env: Env): ClusterConfig {
  const problems: string[] = [];
  const cookie = env['COOKIE'] || 'dino';
  if (!isCookie(cookie)) problems.push(`COOKIE must be ${COOKIE_RULE}`);
  const natsUrl = env['NATS_URL'] || 'nats://nats:4222';
  if (!/^(nats|tls):\/\/[^\s/]+$/.test(natsUrl)) problems.push('NATS_URL must look like nats://host:4222');
  const logLevel = env['LOG_LEVEL'] || 'info';
  if (logLevel !== 'debug' && logLevel !== 'info' && logLevel !== 'warn' && logLevel !== 'error') {
    problems.push('LOG_LEVEL must be debug, info, warn or error');
    throw new UsageError(problems.join('; '));
  }
  if (problems.length > 0) throw new UsageError(problems.join('; '));
  return { cookie, natsUrl, logLevel };
}
