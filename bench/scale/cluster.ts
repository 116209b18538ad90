import type { NatsConnection } from '@nats-io/transport-node';

import { type Permissions, nodePermissions, permissionsOf } from '../../controller/src/nats-auth/permissions.ts';
import { subjectsOf } from '../../protocol/subjects.ts';
import { connectDirectly } from '../../shared/nats/direct-transport.ts';
import { CONNECTION_OPTIONS } from '../../shared/nats/options.ts';

/** The cookie of the simulated cluster. */
export const COOKIE = 'dino';

export const subjects = subjectsOf(COOKIE);

/** The subject of the bare round trip. */
export const BARE = `hotcast.${COOKIE}.bare`;

/** Every user's. Only two containers reach the server. */
const PASSWORD = 'scale';

/**
 * The account of a simulated cluster, with a list of users: the auth callout knows nodes by their containers, and its
 * handshake for ten thousand would take minutes. All nodes are one user, with the permissions of a node but for the
 * name: the server has as much to check for a message.
 */
export function natsUsers(): string {
  const node = nodePermissions(COOKIE, ['*', '*']);
  const controller = permissionsOf('controller', COOKIE);
  const users = Object.entries<Permissions>({
    node: { ...node, subscribe: [...node.subscribe, BARE] },
    controller: { ...controller, publish: [...controller.publish, BARE] },
    roster: permissionsOf('roster', COOKIE),
  }).map(([user, { publish, subscribe }]) => {
    return `{ user: ${user}, password: ${PASSWORD}, permissions: ${JSON.stringify({ publish, subscribe })} }`;
  });
  return `authorization { timeout: 30 }\naccounts { ${COOKIE} { jetstream: enabled, users: [\n${users.join('\n')}\n] } }\n`;
}

/** Connects as a process of the cluster does, but with a name and a password. */
export function connectAs(user: string, inboxPrefix: string): Promise<NatsConnection> {
  const server = { timeout: 60_000, servers: 'nats://127.0.0.1:4222' };
  return connectDirectly({ ...CONNECTION_OPTIONS, ...server, user, pass: PASSWORD, inboxPrefix });
}

/** The container that Docker would have for a simulated node; numbers count from 1. */
export function containerOf(number: number): { readonly id: string; readonly name: string } {
  return { id: number.toString(16).padStart(12, '0'), name: `hotcast-node-${number}` };
}
