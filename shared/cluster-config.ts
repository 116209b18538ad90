import { UsageError } from '../protocol/errors.ts';
import { COOKIE_RULE, isCookie } from '../protocol/names.ts';

/** The environment of a process. */
export type Env = Readonly<Record<string, string | undefined>>;

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** What every process of a cluster needs to know. */
export interface ClusterConfig {
  /** The cluster's name and address; every subject carries it. */
  readonly cookie: string;
  /** Where NATS listens, e.g. `nats://nats:4222`. */
  readonly natsUrl: string;
  /** The folder with the keys that this process has of its cookie. */
  readonly keysDir: string;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

/**
 * Reads `COOKIE` (default `dino`), `NATS_URL` (default `nats://nats:4222`), `KEYS_DIR` (default `/run/keys`; the cookie's
 * are in a folder of its name there) and `LOG_LEVEL` (default `info`).
 *
 * @param others what is wrong with the variables that the caller reads itself, to be named in the same line.
 * @throws UsageError one line that names every bad variable at once.
 */
export function loadClusterConfig(env: Env, others: readonly string[] = []): ClusterConfig {
  const problems: string[] = [];
  const cookie = env['COOKIE'] || 'dino';
  if (!isCookie(cookie)) problems.push(`COOKIE must be ${COOKIE_RULE}`);
  const natsUrl = env['NATS_URL'] || 'nats://nats:4222';
  if (!/^(nats|tls):\/\/[^\s/]+$/.test(natsUrl)) problems.push('NATS_URL must look like nats://host:4222');
  const logLevel = LOG_LEVELS.find(level => level === (env['LOG_LEVEL'] || 'info'));
  if (logLevel === undefined) problems.push('LOG_LEVEL must be debug, info, warn or error');
  problems.push(...others);
  if (logLevel === undefined || problems.length > 0) throw new UsageError(problems.join('; '));
  return { cookie, natsUrl, keysDir: `${env['KEYS_DIR'] || '/run/keys'}/${cookie}`, logLevel };
}
