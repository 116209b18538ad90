import { expect, it } from 'vitest';

import { makeAuthCalloutKeys, makeKeys } from '../../../../../controller/src/services/keygen/make-keys.ts';
import { accountOf, natsAccounts } from '../../../../../controller/src/services/keygen/nats-accounts.ts';
import { ROLES } from '../../../../../protocol/inboxes.ts';

it("NATS's configuration has an account for each cookie, and a user for each role, by public keys alone", () => {
  const clusters = ['dino', 'rubble'].map(cookie => makeKeys(cookie));
  const accounts = clusters.map(({ users }) => accountOf(users));
  const text = natsAccounts(accounts, makeAuthCalloutKeys().keys, false);
  for (const { files, users } of clusters) {
    expect(text).toContain(`"${users.cookie}": {`);
    // Nodes are no users of it: the auth callout admits each of them.
    for (const role of ROLES) expect(text.includes(`"nkey": "${users.users[role]}"`)).toBe(role !== 'node');
    const secrets = files.filter(({ path }) => path.endsWith('.nk') || path.endsWith('.pem'));
    expect(secrets).toHaveLength(7);
    for (const { text: secret } of secrets) expect(text).not.toContain(Buffer.from(secret).toString());
  }
  expect(text.match(/"max_connections": \d+/g)).toEqual(['"max_connections": 12288', '"max_connections": 12288']);
  expect(text.match(/"nkey": "U[A-Z2-7]{55}"/g)).toHaveLength(9);
});
