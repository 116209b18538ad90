import type { Env } from '../../../../shared/cluster-config.ts';
import { UsageError } from '../../../../protocol/errors.ts';
import { COOKIE_RULE, isCookie } from '../../../../protocol/names.ts';

export interface KeysConfig {
  /** The clusters that are to share the NATS server. */
  readonly cookies: readonly string[];
  /** Has a folder for each process that holds keys. */
  readonly volumes: string;
  /** Whether all talk to NATS by TLS. */
  readonly tls: boolean;
  /** The names by which NATS is reached, for its certificate. */
  readonly hosts: readonly string[];
}

/**
 * Reads `COOKIES` (by commas or spaces; default: `COOKIE`, or `dino`), `VOLUMES` (default `/volumes`), `NATS_TLS` (`1` or
 * `0`, the default) and `NATS_HOSTS` (default `nats`).
 *
 * @throws UsageError one line that names every bad variable.
 */
export function loadConfig(env: Env): KeysConfig {
  const cookies = listed(env['COOKIES'] || env['COOKIE'] || 'dino');
  const tls = env['NATS_TLS'] || '0';
  const problems = cookies.flatMap(cookie => (isCookie(cookie) ? [] : [`COOKIE ${cookie} must be ${COOKIE_RULE}`]));
  if (tls !== '0' && tls !== '1') problems.push('NATS_TLS must be 1 or 0');
  if (problems.length > 0) throw new UsageError(problems.join('; '));
  return {
    cookies,
    volumes: env['VOLUMES'] || '/volumes',
    tls: tls === '1',
    hosts: listed(env['NATS_HOSTS'] || 'nats'),
  };
}

function listed(text: string): string[] {
  return text.split(/[\s,]+/).filter(word => word !== '');
}
