/**
 * How every process keeps its NATS connection: it waits for the server as long as it takes, reconnects for ever, and
 * notices within three pings, 6 seconds, that a server went away without a word.
 */
export const CONNECTION = {
  waitOnFirstConnect: true,
  maxReconnectAttempts: -1,
  reconnectTimeWait: 250,
  reconnectJitter: 250,
  pingInterval: 2_000,
  maxPingOut: 2,
  ignoreAuthErrorAbort: true,
} as const;

/** Who talks to NATS; each has a user of its own there, and may do there only what it is for. */
export const ROLES = ['controller', 'node', 'roster', 'observer'] as const;

export type Role = (typeof ROLES)[number];

/** Where answers to a role go. Nobody else may listen there. */
export function inboxPrefix(role: Role): string {
  return `_INBOX.${role}`;
}

/** The file with the authority of NATS's certificate, beside the seed; where it is there, NATS is spoken to by TLS. */
export const NATS_CA = 'ca.pem';

/** The file with a role's seed for NATS, in its own folder of keys. */
export const NATS_SEED = 'nats.nk';
