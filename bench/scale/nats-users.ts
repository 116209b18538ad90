import { type Permissions, nodePermissions, permissionsOf } from '../../controller/src/nats-auth/permissions.ts';

/** The cookie of the simulated cluster. */
export const COOKIE = 'dino';

/** What the bare round trip is sent on. */
export const BARE = `hotcast.${COOKIE}.bare`;

/** Every user's; the server is reached from two containers only. */
export const PASSWORD = 'scale';

/**
 * NATS's account of a simulated cluster, with users that it knows beforehand: the door knows nodes by their containers, and
 * its public-key handshake for ten thousand would take minutes. All nodes are one user, which may do what each may do
 * under its own name: for a message the server has as much to check.
 */
export function natsUsers(): string {
  const node = nodePermissions(COOKIE, ['*', '*']);
  const controller = permissionsOf('controller', COOKIE);
  const users = [
    userText('node', { ...node, subscribe: [...node.subscribe, BARE] }),
    userText('controller', { ...controller, publish: [...controller.publish, BARE] }),
    userText('roster', permissionsOf('roster', COOKIE)),
  ];
  return `authorization { timeout: 30 }\naccounts { ${COOKIE} { jetstream: enabled, users: [\n${users.join('\n')}\n] } }\n`;
}

function userText(user: string, { publish, subscribe }: Permissions): string {
  const permissions = JSON.stringify({ publish, subscribe });
  return `{ user: ${user}, password: ${PASSWORD}, permissions: ${permissions} }`;
}
