import { decode } from '@nats-io/jwt';
import { nkeys } from '@nats-io/transport-node';

import { describe, expect, it } from 'vitest';

import { authorize } from '../../../../../controller/src/services/auth-callout/authorize.ts';
import { namesFromDns } from '../../../../../controller/src/services/auth-callout/node-names.ts';

const node = nkeys.createUser();
const issuer = nkeys.createAccount();
const user = nkeys.createUser().getPublicKey();

/** What NATS lets a client publish that has the key of the cookie's nodes, and the name that it gets. */
async function admit(host: string | null, says: string) {
  const nonce = 'once';
  const request = {
    user_nkey: user,
    server_id: { id: nkeys.createServer().getPublicKey(), name: 'nats' },
    client_info: { host: '172.18.0.9', nonce },
    connect_opts: {
      nkey: node.getPublicKey(),
      sig: Buffer.from(node.sign(Buffer.from(nonce))).toString('base64url'),
      name: says,
    },
  };
  const clusters = [{ cookie: 'dino', users: { node: node.getPublicKey() } }] as never;
  const nameNode = namesFromDns('hotcast', async () => host);
  const admission = await authorize(
    { request, nameNode, findOperator: async () => ({ status: 'unknown' }) },
    clusters,
    issuer,
  );
  const name = admission.status === 'admitted' ? admission.name : null;
  if (name === null) return { name, events: [] };
  const { jwt = '' } = decode<{ jwt?: string }>(admission.token).nats as { jwt?: string };
  const { nats } = decode<{ pub?: { allow?: string[] } }>(jwt) as { nats: { pub: { allow: string[] } } };
  return { name, events: nats.pub.allow.filter(subject => subject.startsWith('hotcast.dino.event.')) };
}

describe('authorize', () => {
  it('admits a container under the name of its service, whatever it says', async () => {
    expect(await admit('hotcast-worker-1', 'hotcast-node 3f2a9c000000')).toEqual({
      name: 'worker-1',
      events: ['hotcast.dino.event.worker-1.*', 'hotcast.dino.event.worker-1-3f2a9c.*'],
    });
  });

  it('admits no node through the port of operators', async () => {
    expect((await admit('hotcast-operators-1', 'hotcast-node 3f2a9c000000')).name).toBeNull();
  });

  it('gives the names of the first service to its containers only', async () => {
    const names = ['hotcast-node-1', 'hotcast-node-31', 'hotcast-worker-1', 'other-node-1', null].map(async host => {
      const { name } = await admit(host, 'hotcast-node 3f2a9c000000');
      return name;
    });
    expect(await Promise.all(names)).toEqual(['fred', 'node-31', 'worker-1', 'other-node-1', 'node-3f2a9cx']);
  });
});
