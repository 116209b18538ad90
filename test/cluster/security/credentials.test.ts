import { connect, headers, type NatsConnection, nkeyAuthenticator, nkeys } from '@nats-io/transport-node';
import { describe, expect } from 'vitest';

import { encodeBundle } from '../../../protocol/bundle.ts';
import { encode } from '../../../protocol/codec.ts';
import { joinFrames } from '../../../protocol/framing.ts';
import { makeSigningKey, readSigningKey } from '../../../protocol/signing/keys.ts';
import { signEnvelope } from '../../../protocol/signing/envelope.ts';
import { ANSWER_TO, subjectsOf } from '../../../protocol/subjects.ts';
import type { Cluster } from '../../support/cluster.ts';
import { clusterTest } from '../../support/cluster-test.ts';
import { running } from '../../support/on-heads.ts';
import { bundleOf, headOf } from '../../unit/fixtures.ts';
import { inboxPrefix, nodeInbox, type Role, ROLES } from '../../../protocol/inboxes.ts';

const it = clusterTest({ nodes: 3 });

/** A NATS client with the credentials of a process of the cluster. */
async function connectAs(cluster: Cluster, role: Role): Promise<NatsConnection> {
  const { servers } = await cluster.natsOptions();
  return connect({
    servers: servers ?? '',
    authenticator: cluster.keys.as(role, cluster.cookie),
    inboxPrefix: role === 'node' ? nodeInbox(STRANGER) : inboxPrefix(role),
    name: 'hotcast-node 0123456789ab',
  });
}

/** How a node is called that has no name in Docker's DNS: such as this process, with that connection's name. */
const STRANGER = 'node-012345x';

const version = (name: string): string => `export function version() { return '${name}'; }\n`;

describe('a client with the credentials of', () => {
  it.for(ROLES.filter(role => role !== 'controller'))(
    '%s changes nothing by a well-formed bundle and head',
    async (role, { cluster }) => {
      cluster.writeModule('safe', version('good'));
      const { revision } = await cluster.push('safe');
      const subjects = subjectsOf(cluster.cookie);
      const bundle = bundleOf('safe', "exports.version = () => 'bad';");
      const key = readSigningKey(makeSigningKey());
      const address = subjects.bundle('safe', bundle.revision);
      const head = { ...headOf('safe', bundle.revision, Date.now()), at: Date.now() };
      const sealedHead = signEnvelope(key, subjects.head('safe'), encode(head));
      const forbidden: string[] = [];
      await using nats = await connectAs(cluster, role);
      void (async () => {
        for await (const status of nats.status()) if (status.type === 'error') forbidden.push(String(status.error));
      })();
      const header = headers();
      header.set(ANSWER_TO, `${inboxPrefix(role)}.me`);
      for (const payload of [encodeBundle(bundle), signEnvelope(key, address, encodeBundle(bundle))]) {
        nats.publish(address, payload, { headers: header });
      }
      for (const payload of [encode(head), sealedHead]) nats.publish(subjects.head('safe'), payload);
      nats.publish(subjects.all('commit'), joinFrames([sealedHead]));
      nats.publish(subjects.node('fred', 'load'), signEnvelope(key, address, encodeBundle(bundle)));
      await nats.flush();
      await expect.poll(() => forbidden, { timeout: 15_000 }).toHaveLength(6);
      expect(await running(cluster, 'safe')).toEqual([revision]);
      expect((await cluster.status()).exitCode).toBe(0);
      const { result } = await cluster.call('safe.version()');
      expect(result.nodes).toMatchObject(cluster.names.map(node => ({ node, json: '"good"', revision })));
    },
  );
});

describe('a node', () => {
  it('can speak as itself only, and hear only what it is asked itself', async ({ cluster }) => {
    await using nats = await connectAs(cluster, 'node');
    const subjects = subjectsOf(cluster.cookie);
    const refused: string[] = [];
    void (async () => {
      for await (const status of nats.status()) if (status.type === 'error') refused.push(status.error.message);
    })();
    nats.publish(subjects.event(STRANGER, 'heartbeat'), '{}');
    nats.publish(subjects.event('fred', 'goodbye'), '{}');
    nats.publish(subjects.claim('fred'), '{}');
    for (const subject of [subjects.nodeAny('fred'), subjects.anyNode, subjects.events, '_INBOX.>', '>']) {
      nats.subscribe(subject, { callback: () => undefined });
    }
    await nats.flush();
    await expect.poll(() => refused, { timeout: 15_000 }).toHaveLength(7);
    expect(refused.join('\n')).not.toContain(STRANGER);
    expect((await cluster.nodes()).map(({ node }) => node)).toEqual(cluster.names);
  });

  it('is not let in without the key of its cookie', async ({ cluster }) => {
    const { servers = '' } = await cluster.natsOptions();
    const stranger = nkeyAuthenticator(nkeys.createUser().getSeed());
    const name = 'hotcast-node 0123456789ab';
    await expect(connect({ servers, name, reconnect: false })).rejects.toThrow(/authorization violation/i);
    await expect(connect({ servers, name, reconnect: false, authenticator: stranger })).rejects.toThrow(
      /authorization violation/i,
    );
  });
});

describe('keys rotate', () => {
  it('has nodes obey the new key without a restart, and those that start later find what they trust', async ({
    cluster,
  }) => {
    cluster.writeModule('kept', version('one'));
    const one = await cluster.push('kept');
    const before = await cluster.nodes();
    const rotated = await cluster.hotcast('keys', 'rotate', '--overlap', '10s');
    expect(rotated).toMatchObject({ exitCode: 0, stderr: '' });
    expect(rotated.stdout).toMatch(/^sealing with key [0-9a-f]{16}; /);
    cluster.writeModule('kept', version('two'));
    const two = await cluster.push('kept');
    expect(two.exitCode).toBe(0);
    const identity = (nodes: typeof before) => nodes.map(node => (node.status === 'present' ? node.startedAt : null));
    expect(identity(await cluster.nodes())).toEqual(identity(before));

    await cluster.addNodes(1);
    await expect.poll(() => running(cluster, 'kept'), { timeout: 15_000 }).toEqual([two.revision]);
    const back = await cluster.change('rollback', 'kept');
    expect(back.result.modules).toEqual([{ module: 'kept', revision: one.revision }]);
    await expect.poll(() => running(cluster, 'kept'), { timeout: 15_000 }).toEqual([one.revision]);
    expect((await cluster.nodes()).every(node => node.status === 'present' && node.rejected === 0)).toBe(true);
  });
});
