import { describe, expect, it } from 'vitest';

import { accountOf, makeKeys } from '../../../controller/src/keys/make-keys.ts';
import { natsConfig, permissionsOf } from '../../../controller/src/keys/nats-config.ts';
import { ROLES } from '../../../protocol/connection.ts';
import { subjectsOf } from '../../../protocol/subjects.ts';

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

const subjects = subjectsOf('dino');

describe('permissions', () => {
  it.for(['node', 'roster', 'observer'] as const)('let no %s write bundles, heads or outcomes, or ask nodes', role => {
    const { publish } = permissionsOf(role, 'dino');
    const forbidden = [
      subjects.bundle('demo', 'f'.repeat(64)),
      subjects.head('demo'),
      subjects.outcome('demo'),
      subjects.all('commit'),
      subjects.node('fred', 'load'),
      '$JS.API.STREAM.PURGE.HOTCAST_dino',
      '$JS.API.STREAM.DELETE.HOTCAST_dino',
      '$JS.API.STREAM.UPDATE.HOTCAST_dino',
      '$JS.API.STREAM.MSG.DELETE.HOTCAST_dino',
    ];
    expect(forbidden.filter(subject => allows(publish, subject))).toEqual([]);
  });

  it('give every role an inbox that no other may listen on', () => {
    for (const role of ROLES) {
      for (const other of ROLES) {
        const { subscribe } = permissionsOf(other, 'dino');
        expect(allows(subscribe, `_INBOX.${role}.abc.1`)).toBe(role === other);
      }
    }
  });

  it('let nobody see or say anything of another cookie', () => {
    for (const role of ROLES) {
      const { publish, subscribe } = permissionsOf(role, 'dino');
      const strange = [...publish, ...subscribe].filter(subject =>
        /hotcast\.(?!dino\.)|HOTCAST_(?!dino)/.test(subject),
      );
      expect(strange).toEqual([]);
      expect([...publish, ...subscribe]).not.toContain('>');
    }
  });

  it('let a controller do nothing as a node', () => {
    const { publish } = permissionsOf('controller', 'dino');
    expect(allows(publish, subjects.event('fred', 'presence'))).toBe(false);
    expect(allows(publish, subjects.claim('fred'))).toBe(false);
  });
});

describe('the configuration of NATS', () => {
  it('has an account for each cookie, and a user for each role, by public keys alone', () => {
    const clusters = ['dino', 'rubble'].map(makeKeys);
    const text = natsConfig(clusters.map(({ users }) => accountOf(users)));
    for (const { files, users } of clusters) {
      expect(text).toContain(`"${users.cookie}" {`);
      for (const role of ROLES) expect(text).toContain(`nkey: ${users.users[role]}`);
      const secrets = files.filter(({ path }) => path.endsWith('.nk') || path.endsWith('.pem'));
      expect(secrets).toHaveLength(5);
      for (const { text: secret } of secrets) expect(text).not.toContain(Buffer.from(secret).toString());
    }
    expect(text.match(/nkey: U[A-Z2-7]{55}\n/g)).toHaveLength(8);
  });
});
