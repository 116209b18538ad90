import { describe, expect, it } from 'vitest';

import { accountOf, makeAuthCalloutKeys, makeKeys } from '../../../../controller/src/services/keygen/make-keys.ts';
import {
  natsConfig,
  nodePermissions,
  type Permissions,
  permissionsOf,
} from '../../../../controller/src/nats-auth/permissions.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { type Role, ROLES } from '../../../../protocol/inboxes.ts';

/** Whether NATS lets a subject through a list of patterns. */
function allows(patterns: readonly string[], subject: string): boolean {
  return patterns.some(pattern => {
    const tokens = pattern.split('.');
    const parts = subject.split('.');
    const open = tokens.at(-1) === '>';
    if (open ? parts.length < tokens.length : parts.length !== tokens.length) return false;
    return tokens.every((token, index) => token === '>' || token === '*' || token === parts[index]);
  });
}

const permissionsFor = (role: Role, cookie: string): Permissions =>
  role === 'node' ? nodePermissions(cookie, ['fred', 'fred-0123ab']) : permissionsOf(role, cookie);

const subjects = subjectsOf('dino');

describe('permissions', () => {
  it.for(['node', 'roster', 'observer'] as const)(
    'let no %s write bundles, heads or headResults, or ask nodes',
    role => {
      const { publish } = permissionsFor(role, 'dino');
      const forbidden = [
        subjects.bundle('demo', 'f'.repeat(64)),
        subjects.head('demo'),
        subjects.headResult('demo'),
        subjects.all('commit'),
        subjects.node('fred', 'load'),
        '$JS.API.STREAM.PURGE.HOTCAST_dino',
        '$JS.API.STREAM.DELETE.HOTCAST_dino',
        '$JS.API.STREAM.UPDATE.HOTCAST_dino',
        '$JS.API.STREAM.MSG.DELETE.HOTCAST_dino',
      ];
      expect(forbidden.filter(subject => allows(publish, subject))).toEqual([]);
    },
  );

  it('give every role an inbox that no other may listen on', () => {
    for (const role of ROLES) {
      for (const other of ROLES) {
        const { subscribe } = permissionsFor(other, 'dino');
        expect(allows(subscribe, `_INBOX.${role}.fred.1`)).toBe(role === other);
      }
    }
  });

  it('let nobody see or say anything of another cookie', () => {
    for (const role of ROLES) {
      const { publish, subscribe } = permissionsFor(role, 'dino');
      const strange = [...publish, ...subscribe].filter(subject =>
        /hotcast\.(?!dino\.)|HOTCAST_(?!dino)/.test(subject),
      );
      expect(strange).toEqual([]);
      expect([...publish, ...subscribe]).not.toContain('>');
    }
  });

  it('let a controller do nothing as a node', () => {
    const { publish } = permissionsFor('controller', 'dino');
    expect(allows(publish, subjects.event('fred', 'heartbeat'))).toBe(false);
    expect(allows(publish, subjects.claim('fred'))).toBe(false);
  });
});

describe('a node', () => {
  const { publish, subscribe } = nodePermissions('dino', ['fred', 'fred-0123ab']);

  it('may speak as itself, and as no other node', () => {
    expect(allows(publish, subjects.event('fred', 'heartbeat'))).toBe(true);
    expect(allows(publish, subjects.event('fred-0123ab', 'heartbeat'))).toBe(true);
    expect(allows(publish, subjects.event('betty', 'heartbeat'))).toBe(false);
    expect(allows(publish, subjects.claim('betty'))).toBe(false);
  });

  it('may hear what it is asked, and not what others are asked or answered', () => {
    expect(allows(subscribe, subjects.node('fred', 'call'))).toBe(true);
    expect(allows(subscribe, subjects.node('betty', 'call'))).toBe(false);
    expect(allows(subscribe, subjects.event('betty', 'heartbeat'))).toBe(false);
    expect(allows(subscribe, '_INBOX.node.betty.abc')).toBe(false);
    expect(allows(subscribe, '_INBOX.node.fred.abc')).toBe(true);
  });
});

describe('the configuration of NATS', () => {
  it('has an account for each cookie, and a user for each role, by public keys alone', () => {
    const clusters = ['dino', 'rubble'].map(makeKeys);
    const door = makeAuthCalloutKeys();
    const text = natsConfig(
      clusters.map(({ users }) => accountOf(users)),
      door.door,
    );
    for (const { files, users } of clusters) {
      expect(text).toContain(`"${users.cookie}" {`);
      // Nodes are no users of it: each is let in by the door.
      for (const role of ROLES) expect(text.includes(`nkey: ${users.users[role]}`)).toBe(role !== 'node');
      const secrets = files.filter(({ path }) => path.endsWith('.nk') || path.endsWith('.pem'));
      expect(secrets).toHaveLength(5);
      for (const { text: secret } of secrets) expect(text).not.toContain(Buffer.from(secret).toString());
    }
    expect(text.match(/nkey: U[A-Z2-7]{55}\n/g)).toHaveLength(6);
  });
});
