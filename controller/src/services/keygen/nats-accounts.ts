import { ROLES } from '../../../../protocol/inboxes.ts';
import { streamOf, subjectsOf } from '../../../../protocol/subjects.ts';
import { linkPermissions, type Permissions, permissionsOf } from '../../nats-auth/permissions.ts';
import type { PublicKeys } from '../../nats-auth/public-keys.ts';
import type { MachineLinks } from './machine-keys.ts';
import type { AuthCalloutKeys } from './make-keys.ts';

/** The file that NATS's own configuration includes, in NATS's key folder. */
export const ACCOUNTS_FILE = 'accounts.conf';

/** The account of the auth callout. No cookie has a dot. */
export const AUTH_CALLOUT_ACCOUNT = 'hotcast.auth-callout';

/** The account of the links over which the servers of other machines ask the auth callout. NATS lets none ask on a link of the account itself. */
const MACHINES_ACCOUNT = 'hotcast.machines';

/** NATS's authorization requests (ADR-26), and where a server waits for the answers. */
const AUTH_REQUESTS = '$SYS.REQ.USER.AUTH';
const AUTH_ANSWERS = '$SYS._INBOX.>';

/** The port on which the hub takes the servers of other machines. */
export const LINK_PORT = 7422;

/** NATS's key folder is mounted there in its container. */
export const KEYS_IN_NATS = '/etc/nats/keys';

/** How the names of the files of the certificate for other machines begin. */
export const LINK_FILES = 'link-';

const TLS = { cert_file: `${KEYS_IN_NATS}/cert.pem`, key_file: `${KEYS_IN_NATS}/key.pem` };

/**
 * So many connections one cookie can have at NATS: a node of it can't take all those that the server has (`max_connections` in
 * nats.conf) from other cookies. NATS ignores the limits in the token of a user whom the auth callout admits.
 */
export const LIMITS = { max_connections: 12_288 };

/** A cookie's account at NATS, with its users, without its nodes: the auth callout admits those one by one. */
export function accountOf({ cookie, users }: PublicKeys) {
  const others = ROLES.filter(role => role !== 'node');
  return {
    cookie,
    users: others.map(role => ({ nkey: users[role] ?? '', permissions: permissionsOf(role, cookie) })),
  };
}

/** Other machines whose servers are linked with this one, which is the hub. */
export interface Hub {
  /** The name of the hub. */
  readonly machine: string;
  readonly links: readonly MachineLinks[];
}

/**
 * The text of {@link ACCOUNTS_FILE}: an account for each cookie, so that clusters which share a server see nothing of each
 * other. NATS asks the auth callout about every client that is none of their users (ADR-26). NATS reads JSON.
 */
export function natsAccounts(
  accounts: readonly ReturnType<typeof accountOf>[],
  { user, issuer }: AuthCalloutKeys,
  tls: boolean,
  hub: Hub | null = null,
): string {
  const users = accounts.flatMap(account => account.users.map(({ nkey }) => nkey));
  const links = hub?.links ?? [];
  const linkKeys = links.flatMap(({ link, cookies }) => [link, ...cookies.map(each => each.link)]);
  const config = {
    ...(tls ? { tls: TLS } : {}),
    ...(hub === null ? {} : hubSettings(hub)),
    authorization: {
      // Seconds: the nodes of a whole fleet can connect at once.
      timeout: 10,
      auth_callout: { issuer, account: AUTH_CALLOUT_ACCOUNT, auth_users: [user, ...users, ...linkKeys] },
    },
    // The auth callout closes the connections of operators that are revoked, which is for the system account alone.
    system_account: AUTH_CALLOUT_ACCOUNT,
    accounts: Object.fromEntries<object>([
      [AUTH_CALLOUT_ACCOUNT, { users: [{ nkey: user }], imports: accounts.flatMap(importsOf), ...askedBy(links) }],
      ...(links.length === 0 ? [] : [[MACHINES_ACCOUNT, machinesAccount(links)] as const]),
      ...accounts.map(account => [account.cookie, clusterAccount(account, links)] as const),
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

/** What a server has as the hub. */
function hubSettings({ machine }: Hub) {
  return {
    // The roster knows by it which machine a node is on.
    server_name: machine,
    // A link that is lost is noticed in seconds.
    ping_interval: '10s',
    ping_max: 2,
    // A link has the subscriptions of all nodes of its machine, and NATS has one limit for links and clients.
    max_subscriptions: 65_536,
    leafnodes: {
      port: LINK_PORT,
      tls: { cert_file: `${KEYS_IN_NATS}/${LINK_FILES}cert.pem`, key_file: `${KEYS_IN_NATS}/${LINK_FILES}key.pem` },
    },
  };
}

function askedBy(links: readonly MachineLinks[]) {
  return links.length === 0 ? {} : { exports: [{ service: AUTH_REQUESTS, accounts: [MACHINES_ACCOUNT] }] };
}

function machinesAccount(links: readonly MachineLinks[]) {
  const permissions = { publish: [AUTH_REQUESTS], subscribe: [AUTH_ANSWERS] };
  return {
    users: links.map(({ link }) => linkUser(link, permissions)),
    imports: [{ service: { account: AUTH_CALLOUT_ACCOUNT, subject: AUTH_REQUESTS } }],
  };
}

/** It can link a server, and can't connect as a client. */
function linkUser(nkey: string, permissions: Permissions) {
  return { nkey, allowed_connection_types: ['LEAFNODE'], permissions };
}

function clusterAccount({ cookie, users }: ReturnType<typeof accountOf>, links: readonly MachineLinks[]) {
  const { holder, operatorKey, operatorChange, streamRead, streamReads } = subjectsOf(cookie);
  const read = `$JS.API.DIRECT.GET.${streamOf(cookie)}`;
  const linkUsers = links.flatMap(({ machine, cookies }) =>
    cookies.filter(each => each.cookie === cookie).map(({ link }) => linkUser(link, linkPermissions(cookie, machine))),
  );
  return {
    jetstream: 'enabled',
    limits: LIMITS,
    exports: [
      ...[holder, operatorKey].map(service => ({ service, accounts: [AUTH_CALLOUT_ACCOUNT] })),
      { stream: operatorChange, accounts: [AUTH_CALLOUT_ACCOUNT] },
    ],
    ...(links.length === 0 ? {} : { mappings: { [streamRead]: read, [streamReads]: `${read}.>` } }),
    users: [...users, ...linkUsers],
  };
}
