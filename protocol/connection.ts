/**
 * How every process keeps its NATS connection: it waits for the server as long as it takes, reconnects for ever, and
 * notices within three pings, 6 seconds, that a server went away without a word.
 */
export const CONNECTION = {
  waitOnFirstConnect: true,
  maxReconnectAttempts: -1,
  // A server that was made anew has another address; who still knocks at the old one waits for nothing.
  timeout: 5_000,
  reconnectTimeWait: 250,
  reconnectJitter: 250,
  pingInterval: 2_000,
  maxPingOut: 2,
  ignoreAuthErrorAbort: true,
} as const;

/**
 * Ends a connection when all that was published has gone out. One that is lost meanwhile, or takes longer than `patience`
 * (milliseconds), is left as it is: the process ends all the same.
 */
export async function leave(connection: { drain(): Promise<void> }, patience: number): Promise<void> {
  const late = new Promise<void>(resolve => setTimeout(resolve, patience));
  await Promise.race([connection.drain().catch(() => undefined), late]);
}

/** Who talks to NATS; each has a user of its own there, and may do there only what it is for. */
export const ROLES = ['controller', 'node', 'roster', 'observer'] as const;

export type Role = (typeof ROLES)[number];

/** Where answers to a role go. Nobody else may listen there. */
export function inboxPrefix(role: Role | 'door'): string {
  return `_INBOX.${role}`;
}

/** Where answers to one node go, by the name that its address has. */
export function nodeInbox(name: string): string {
  return `${inboxPrefix('node')}.${name}`;
}

/**
 * Where a node answers a controller: in its inbox, under the node's own name, to which NATS holds it. Null when the inbox is no
 * controller's, so that nobody can have a node speak elsewhere.
 */
export function answerSubject(inbox: string | undefined, node: string): string | null {
  return inbox !== undefined && CONTROLLER_INBOX.test(inbox) ? `${inbox}.${node}` : null;
}

const CONTROLLER_INBOX = /^_INBOX\.controller\.[A-Za-z0-9]+$/;

/** The file with the authority of NATS's certificate, beside the seed; where it is there, NATS is spoken to by TLS. */
export const NATS_CA = 'ca.pem';

/** The file with a role's seed for NATS, in its own folder of keys. */
export const NATS_SEED = 'nats.nk';
