import { type Authenticator, connect, nkeyAuthenticator, nkeys } from '@nats-io/transport-node';
import { describe, expect } from 'vitest';

import type { Role } from '../../../../protocol/inboxes.ts';
import type { Cluster } from '../../../support/cluster/cluster.ts';
import { it } from './cluster.ts';

describe('NATS refuses a connection', () => {
  const unknownUser = nkeys.createUser();
  const withOwnSignature: (role: Role, cluster: Cluster) => Authenticator = (role, cluster) => nonce => ({
    nkey: publicKeyOf(cluster.keys.as(role, cluster.cookie)),
    sig: Buffer.from(unknownUser.sign(Buffer.from(nonce ?? ''))).toString('base64url'),
  });
  const attempts: readonly (readonly [string, (cluster: Cluster) => Authenticator | undefined])[] = [
    ['without credentials', () => undefined],
    ['with a password', () => () => ({ user: 'hotcast', pass: 'dino' })],
    ['with a token', () => () => ({ auth_token: 'dino' })],
    ['with a unknown key', () => nkeyAuthenticator(unknownUser.getSeed())],
    ["with the controller's public key and another signature", cluster => withOwnSignature('controller', cluster)],
    ["with the nodes' public key and another signature", cluster => withOwnSignature('node', cluster)],
    [
      "with the roster's public key and no signature",
      cluster => () => ({ nkey: publicKeyOf(cluster.keys.as('roster', cluster.cookie)), sig: '' }),
    ],
    [
      'with a invalid JWT',
      () => () => ({ jwt: 'eyJ0eXAiOiJKV1QifQ.e30.x', nkey: unknownUser.getPublicKey(), sig: '' }),
    ],
  ];

  it.for(attempts)('%s', async ([, credentials], { cluster }) => {
    const { servers = '' } = await cluster.natsOptions();
    const authenticator = credentials(cluster);
    const options = { servers, reconnect: false, name: 'hotcast-node 0123456789ab' };
    await expect(connect(authenticator === undefined ? options : { ...options, authenticator })).rejects.toThrow(
      /authorization violation/i,
    );
  });
});

function publicKeyOf(authenticator: Authenticator): string {
  const auth = authenticator('nonce');
  if (typeof auth !== 'object' || !('nkey' in auth)) throw new TypeError('no key');
  return auth.nkey;
}
