/** The roles that talk to NATS. Each has a NATS user of its own, with the permissions that it needs. */
export const ROLES = ['controller', 'node', 'roster', 'observer'] as const;

export type Role = (typeof ROLES)[number];

/** Where answers to a role go. Nobody else may subscribe there. */
export function inboxPrefix(role: Role | 'auth-callout'): string {
  return `_INBOX.${role}`;
}

/** Where answers to one node go. `name` is the node name that follows from the container's address. */
export function nodeInbox(name: string): string {
  return `${inboxPrefix('node')}.${name}`;
}

/**
 * Where a node answers a controller: in the controller's inbox, under the node's own name, which NATS enforces. Null when
 * `inbox` is not a controller's, so that nobody can make a node publish elsewhere.
 */
export function answerSubject(inbox: string | undefined, node: string): string | null {
  return inbox !== undefined && CONTROLLER_INBOX.test(inbox) ? `${inbox}.${node}` : null;
}

const CONTROLLER_INBOX = /^_INBOX\.controller\.[A-Za-z0-9]+$/;
