import { ROLES } from '../../../../protocol/inboxes.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { permissionsOf } from '../../nats-auth/permissions.ts';
import type { PublicKeys } from '../../nats-auth/public-keys.ts';
import type { AuthCalloutKeys } from './make-keys.ts';

/** The file that NATS's own configuration includes, in NATS's key folder. */
export const ACCOUNTS_FILE = 'accounts.conf';

/** The account of the auth callout. No cookie has a dot. */
const AUTH_CALLOUT_ACCOUNT = 'hotcast.auth-callout';

/** NATS's key folder is mounted there in its container. */
const TLS = { cert_file: '/etc/nats/keys/cert.pem', key_file: '/etc/nats/keys/key.pem' };

/**
 * So many connections one cookie can have at NATS: a node of it can't take all those that the server has (`max_connections` in
 * nats.conf) from other cookies. NATS ignores the limits in the token of a user whom the auth callout admits.
 */
const MAX_CONNECTIONS = 12_288;

/** A cookie's account at NATS, with its users, without its nodes: the auth callout admits those one by one. */
export function accountOf({ cookie, users }: PublicKeys) {
  const others = ROLES.filter(role => role !== 'node');
  return {
    cookie,
    users: others.map(role => ({ nkey: users[role] ?? '', permissions: permissionsOf(role, cookie) })),
  };
}

/**
 * The text of {@link ACCOUNTS_FILE}: an account for each cookie, so that clusters which share a server see nothing of each
 * other. NATS asks the auth callout about every client that is none of their users (ADR-26). NATS reads JSON.
 */
export function natsAccounts(
  accounts: readonly ReturnType<typeof accountOf>[],
  { user, issuer }: AuthCalloutKeys,
  tls: boolean,
): string {
  const users = accounts.flatMap(account => account.users.map(({ nkey }) => nkey));
  const config = {
    ...(tls ? { tls: TLS } : {}),
    authorization: {
      // Seconds: the nodes of a whole fleet can connect at once.
      timeout: 10,
      auth_callout: { issuer, account: AUTH_CALLOUT_ACCOUNT, auth_users: [user, ...users] },
    },
    // The auth callout closes the connections of operators that are revoked, which is for the system account alone.
    system_account: AUTH_CALLOUT_ACCOUNT,
    accounts: Object.fromEntries<object>([
      [AUTH_CALLOUT_ACCOUNT, { users: [{ nkey: user }], imports: accounts.flatMap(importsOf) }],
      ...accounts.map(account => [account.cookie, clusterAccount(account)] as const),
    ]),
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/**
 * The auth callout asks the rosters which node has an address, and the controllers which operator has a key, and hears from these that
 * an operator may be gone. Nothing else goes from one account to another.
 */
function importsOf({ cookie }: Pick<PublicKeys, 'cookie'>) {
  const { holder, operatorKey, operatorChange } = subjectsOf(cookie);
  return [
    ...[holder, operatorKey].map(subject => ({ service: { account: cookie, subject } })),
    { stream: { account: cookie, subject: operatorChange } },
  ];
}

function clusterAccount({ cookie, users }: ReturnType<typeof accountOf>) {
  const { holder, operatorKey, operatorChange } = subjectsOf(cookie);
  return {
    jetstream: 'enabled',
    limits: { max_connections: MAX_CONNECTIONS },
    exports: [
      ...[holder, operatorKey].map(service => ({ service, accounts: [AUTH_CALLOUT_ACCOUNT] })),
      { stream: operatorChange, accounts: [AUTH_CALLOUT_ACCOUNT] },
    ],
    users,
  };
}
