import { streamOf, subjectsOf } from '../../../protocol/subjects.ts';
import { inboxPrefix, nodeInbox, type Role } from '../../../protocol/inboxes.ts';

/** A NATS user: the public half of its key, and the subjects that it may publish and subscribe to. */
export interface User {
  readonly nkey: string;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** The subjects that a client may publish and subscribe to. */
export type Permissions = Omit<User, 'nkey'>;

/** The users of one cookie, but for its nodes: each of those gets its own when it connects. */
export interface Account {
  readonly cookie: string;
  readonly users: readonly User[];
}

/** Who lets nodes in: the public keys of the process that decides, and of what it signs with. */
export interface AuthCallout {
  readonly user: string;
  readonly issuer: string;
}

/**
 * What one node may do on NATS: speak as itself, and read its cookie's stream.
 *
 * @param names its name, and the one that it takes when another container has that one.
 */
export function nodePermissions(cookie: string, names: readonly [string, string]): Permissions {
  const subjects = subjectsOf(cookie);
  const [name] = names;
  const own = `${nodeInbox(name)}.>`;
  const claim = subjects.claim(name);
  const events = names.map(each => subjects.eventsOf(each));
  return {
    publish: [
      ...events,
      claim,
      own,
      ...names.map(each => `${inboxPrefix('controller')}.*.${each}`),
      ...readingOf(cookie),
    ],
    subscribe: [...names.map(each => subjects.nodeAny(each)), subjects.allAny, subjects.bundles, claim, own],
  };
}

/** What a role may do on NATS, and nothing else. */
export function permissionsOf(role: Exclude<Role, 'node'>, cookie: string): Permissions {
  const subjects = subjectsOf(cookie);
  const stream = streamOf(cookie);
  const { anyNode, events } = subjects;
  const own = `${inboxPrefix(role)}.>`;
  const toController = `${inboxPrefix('controller')}.>`;
  switch (role) {
    case 'controller':
      return {
        publish: [
          subjects.bundles,
          subjects.heads,
          subjects.headResults,
          anyNode,
          subjects.allAny,
          subjects.roster,
          '$JS.API.INFO',
          ...['CREATE', 'UPDATE', 'INFO', 'PURGE'].map(verb => `$JS.API.STREAM.${verb}.${stream}`),
          ...readingOf(cookie),
        ],
        subscribe: [events, own],
      };
    case 'roster':
      return { publish: [toController], subscribe: [subjects.roster, own] };
    case 'observer':
      return {
        publish: [subjects.heads, subjects.headResults].map(last => `$JS.API.DIRECT.GET.${stream}.${last}`),
        subscribe: [events, subjects.heads, subjects.headResults, own],
      };
    default: {
      const check: never = role;
      return check;
    }
  }
}

/**
 * NATS's accounts: one for each cookie, so that clusters which share a server see nothing of each other. Whoever is none of
 * their users is let in only if the door says so (ADR-26).
 */
export function natsConfig(accounts: readonly Account[], door: AuthCallout): string {
  const users = [door.user, ...accounts.flatMap(account => account.users.map(({ nkey }) => nkey))];
  return [
    'authorization {',
    // Seconds: a whole fleet may come at once.
    '  timeout: 10',
    '  auth_callout {',
    `    issuer: ${door.issuer}`,
    `    account: ${quoted(DOOR)}`,
    `    auth_users: [${users.join(', ')}]`,
    '  }',
    '}',
    'accounts {',
    `  ${quoted(DOOR)} { users: [{ nkey: ${door.user} }] }`,
    ...accounts.flatMap(accountText),
    '}',
    '',
  ].join('\n');
}

function readingOf(cookie: string): string[] {
  const read = `$JS.API.DIRECT.GET.${streamOf(cookie)}`;
  return [read, `${read}.>`];
}

/** The account of who lets nodes in; no cookie has a dot. */
const DOOR = 'hotcast.auth-callout';

/** Where NATS finds its certificate and key: its volume of keys is mounted there. */
export const TLS = 'tls {\n  cert_file: "/etc/nats/keys/cert.pem"\n  key_file: "/etc/nats/keys/key.pem"\n}\n';

function accountText({ cookie, users }: Account): string[] {
  return [
    `  ${quoted(cookie)} {`,
    '    jetstream: enabled',
    '    users: [',
    ...users.flatMap(userText),
    '    ]',
    '  }',
  ];
}

function userText({ nkey, publish, subscribe }: User): string[] {
  return [
    '      {',
    `        nkey: ${nkey}`,
    '        permissions {',
    `          publish: [${publish.map(quoted).join(', ')}]`,
    `          subscribe: [${subscribe.map(quoted).join(', ')}]`,
    '        }',
    '      }',
  ];
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
