/** The roles at NATS. Each has a NATS user of its own, with the permissions that it needs. */
export const ROLES = ['controller', 'node', 'roster', 'observer', 'console'] as const;

export type Role = (typeof ROLES)[number];

/** The prefix of a role's inboxes. No other role can subscribe to them. */
export function inboxPrefix(role: Role | 'auth-callout' | 'agent'): string {
  return `_INBOX.${role}`;
}

/** The prefix of one node's inboxes. `name` is the node name that follows from the container's address. */
export function nodeInbox(name: string): string {
  return `${inboxPrefix('node')}.${name}`;
}

/** The prefix of one operator's inboxes. */
export function operatorInbox(name: string): string {
  return `_INBOX.operator.${name}`;
}

/** Whether a subject is an inbox of this operator, so that no operator can make the controller publish on other subjects. */
export function isOperatorInbox(subject: string | undefined, name: string): subject is string {
  const prefix = `${operatorInbox(name)}.`;
  return subject?.startsWith(prefix) === true && /^[A-Za-z0-9]+(?:\.[A-Za-z0-9]+)?$/.test(subject.slice(prefix.length));
}

/**
 * The subject of a node's answer: the inbox of the controller or of the console, and the node's name, which NATS enforces. Null when
 * `inbox` is none of theirs, so that nobody can make a node publish on other subjects.
 */
export function answerSubject(inbox: string | undefined, node: string): string | null {
  return inbox !== undefined && ASKING_INBOX.test(inbox) ? `${inbox}.${node}` : null;
}

const ASKING_INBOX = /^_INBOX\.(?:controller|console)\.[A-Za-z0-9]+$/;
