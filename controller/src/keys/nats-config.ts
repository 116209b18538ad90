import { inboxPrefix, type Role } from '../../../protocol/connection.ts';
import { streamOf, subjectsOf } from '../../../protocol/subjects.ts';

/** A NATS user: the public half of its key, and the subjects that it may publish and subscribe to. */
export interface User {
  readonly nkey: string;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** The users of one cookie. */
export interface Account {
  readonly cookie: string;
  readonly users: readonly User[];
}

/** What a role may do on NATS, and nothing else. */
export function permissionsOf(role: Role, cookie: string): Omit<User, 'nkey'> {
  const subjects = subjectsOf(cookie);
  const stream = streamOf(cookie);
  const { anyNode, claims, events } = subjects;
  const own = `${inboxPrefix(role)}.>`;
  const toController = `${inboxPrefix('controller')}.>`;
  const read = [`$JS.API.DIRECT.GET.${stream}`, `$JS.API.DIRECT.GET.${stream}.>`];
  switch (role) {
    case 'node':
      return {
        publish: [events, claims, own, toController, ...read],
        subscribe: [anyNode, subjects.allAny, subjects.bundles, claims, own],
      };
    case 'controller':
      return {
        publish: [
          subjects.bundles,
          subjects.heads,
          subjects.outcomes,
          anyNode,
          subjects.allAny,
          subjects.roster,
          // Makes, changes, reads and purges its stream.
          '$JS.API.INFO',
          `$JS.API.STREAM.*.${stream}`,
          ...read,
        ],
        subscribe: [events, own],
      };
    case 'roster':
      return { publish: [toController], subscribe: [subjects.roster, own] };
    case 'observer':
      return {
        publish: [subjects.heads, subjects.outcomes].map(last => `$JS.API.DIRECT.GET.${stream}.${last}`),
        subscribe: [events, subjects.heads, subjects.outcomes, own],
      };
    default: {
      const check: never = role;
      return check;
    }
  }
}

/**
 * NATS's `accounts`: one for each cookie, so that clusters which share a server see nothing of each other. Who has no key
 * of a user is not let in.
 */
export function natsConfig(accounts: readonly Account[]): string {
  return ['accounts {', ...accounts.flatMap(accountText), '}', ''].join('\n');
}

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
