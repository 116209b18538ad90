import { jetstreamManager } from '@nats-io/jetstream';
import { type NatsConnection, nkeyAuthenticator, nkeys } from '@nats-io/transport-node';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { RosterMember } from '../../../controller/src/services/roster/roster.ts';
import { nodeInbox } from '../../../protocol/inboxes.ts';
import { streamOf, subjectsOf } from '../../../protocol/subjects.ts';
import { COOKIE, LinkedServers } from '../../support/machines/linked-servers.ts';

const subjects = subjectsOf(COOKIE);
const MACHINES = ['hub', 'b', 'c'];

/** This process is the only client, so all containers have one address: as containers of several machines can. */
const container = (node: string, id: string): RosterMember => ({
  id,
  name: `hotcast-${node}`,
  node,
  state: 'running',
  createdAt: 0,
  addresses: ['127.0.0.1'],
  machine: null,
});

let servers: LinkedServers;
let controller: NatsConnection;

/** Each machine has a node of another name. */
function apart(): void {
  servers.hub.has(container('fred', 'aaaaaaaaaaaa'));
  servers.engines.get('b')?.has(container('node-101', 'bbbbbbbbbbbb'));
  servers.engines.get('c')?.has(container('node-201', 'cccccccccccc'));
}

const connectNode = (machine: string, name: string): Promise<NatsConnection> =>
  servers.as(machine, 'node', { name: 'hotcast-node 3f2a9c000000', inboxPrefix: nodeInbox(name) });

/** The lines of the auth callout about clients that it did not admit. */
const refusals = () =>
  servers.log.logged.flatMap(({ fields, message }) =>
    message === 'a client was not admitted' && 'detail' in fields ? [fields.detail] : [],
  );

/** Hears subjects until the test ends. */
function hear(nats: NatsConnection, ...patterns: string[]): string[] {
  const heard: string[] = [];
  for (const pattern of patterns)
    nats.subscribe(pattern, { callback: (error, { subject }) => void (error === null && heard.push(subject)) });
  return heard;
}

beforeAll(async () => {
  servers = await LinkedServers.start('b', 'c');
  controller = await servers.as('hub', 'controller');
  const manager = await jetstreamManager(controller, { checkAPI: false });
  await manager.streams.add({
    name: streamOf(COOKIE),
    subjects: [subjects.bundles, subjects.heads],
    allow_direct: true,
  });
});
afterAll(async () => {
  await controller?.close();
  await servers?.[Symbol.asyncDispose]();
});
beforeEach(() => {
  servers.log.logged.splice(0);
  apart();
});

describe('nodes of several machines with one address', () => {
  it('speak under the names that the machine of each has for it, and under no other', async () => {
    const heard = hear(controller, subjects.events);
    await controller.flush();
    const names = ['fred', 'node-101', 'node-201'];
    for (const [index, machine] of MACHINES.entries()) {
      const node = await connectNode(machine, names[index] ?? '');
      for (const name of names) node.publish(subjects.event(name, 'heartbeat'), '');
      await expect.poll(() => heard).toContain(subjects.event(names[index] ?? '', 'heartbeat'));
      await node.close();
    }
    expect(heard).toEqual(names.map(name => subjects.event(name, 'heartbeat')));
  });

  it('get pushes, answer the controller, and read the stream', async () => {
    const node = await connectNode('b', 'node-101');
    const heard = hear(node, subjects.bundles, subjects.allAny);
    await node.flush();
    // The interest of the node reaches the hub.
    const bundle = subjects.bundle('demo', 'f'.repeat(64));
    await expect
      .poll(async () => {
        await controller.request(bundle, new Uint8Array(1_000_000), { timeout: 5_000 });
        return heard;
      })
      .toContain(bundle);
    const answers = hear(controller, '_INBOX.controller.x1.*');
    await expect
      .poll(() => {
        controller.publish(subjects.all('ping'), '', { reply: '_INBOX.controller.x1' });
        return heard;
      })
      .toContain(subjects.all('ping'));
    node.publish('_INBOX.controller.x1.node-101', '');
    await expect.poll(() => answers).toEqual(['_INBOX.controller.x1.node-101']);
    const read = `$JS.API.DIRECT.GET.${streamOf(COOKIE)}`;
    const byName = await node.request(`${read}.${bundle}`, '', { timeout: 5_000 });
    expect(byName.data).toHaveLength(1_000_000);
    const last = JSON.stringify({ last_by_subj: bundle });
    expect((await node.request(read, last, { timeout: 5_000 })).data).toHaveLength(1_000_000);
    await node.close();
  });
});

describe('a node is not admitted', () => {
  it('beside another one of its name on an earlier machine, and is when that one is gone', async () => {
    servers.engines.get('b')?.has(container('fred', 'bbbbbbbbbbbb'));
    await expect(connectNode('b', 'fred')).rejects.toThrow(/authorization/i);
    expect(refusals()).toEqual(['another container is fred']);
    await (await connectNode('hub', 'fred')).close();
    servers.hub.has();
    await (await connectNode('b', 'fred')).close();
  });

  it('from an address of its machine that no container of the cluster has', async () => {
    servers.engines.get('c')?.has();
    await expect(connectNode('c', 'fred')).rejects.toThrow(/authorization/i);
    expect(refusals()).toEqual(['the roster knows no container with its address']);
  });

  it('while the agent of its machine does not answer', async () => {
    const roster = await servers.as('hub', 'console');
    await roster.request(subjects.roster, '', { timeout: 5_000 });
    await servers.endAgent('b');
    await expect(connectNode('b', 'node-101')).rejects.toThrow(/authorization/i);
    expect(refusals()).toEqual(['no answer from b']);
    const { data } = await roster.request(subjects.roster, '', { timeout: 5_000 });
    const answer = JSON.parse(Buffer.from(data).toString()) as {
      containers: { node: string }[];
      unreachable: string[];
    };
    expect(answer.unreachable).toEqual(['b']);
    expect(answer.containers.map(({ node }) => node)).toEqual(['fred', 'node-101', 'node-201']);
    await servers.startAgent('b');
    await expect.poll(() => connectNode('b', 'node-101').then(node => node.close())).toBeUndefined();
    await roster.close();
  });
});

describe('somebody who has another machine', () => {
  /** A client of a server with the keys of the machine, which nobody limits there. */
  async function attacker(): Promise<NatsConnection> {
    const user = nkeys.createUser();
    const url = await servers.startInPlaceOf('c', config => {
      delete config.authorization;
      config.server_name = 'hub';
      config.accounts[COOKIE]?.users.push({ nkey: user.getPublicKey() });
    });
    return servers.connect('c', nkeyAuthenticator(user.getSeed()), { servers: url, inboxPrefix: '_INBOX.node.x' });
  }

  it('can say what a node can say, under any name, and nothing else', async () => {
    const nats = await attacker();
    const heard = hear(controller, subjects.events, subjects.logs, subjects.audit, subjects.operatorKey);
    const node = await connectNode('b', 'node-101');
    const asked = await servers.as('hub', 'roster');
    const toRoster = hear(asked, subjects.roster, subjects.holder);
    const toNode = hear(node, subjects.nodeAny('node-101'), subjects.allAny, subjects.bundles);
    await Promise.all([controller, asked, node].map(each => each.flush()));
    const stream = streamOf(COOKIE);
    const forbidden = [
      subjects.bundle('evil', '0'.repeat(64)),
      subjects.head('demo'),
      subjects.headResult('demo'),
      subjects.keys,
      subjects.audit,
      subjects.nodeChange('fred'),
      subjects.all('commit'),
      subjects.node('node-101', 'load'),
      subjects.operatorKey,
      subjects.roster,
      subjects.holder,
      subjects.agent('b'),
      ...['PURGE', 'DELETE', 'UPDATE', 'MSG.DELETE'].map(verb => `$JS.API.STREAM.${verb}.${stream}`),
    ];
    await expect
      .poll(() => {
        for (const subject of forbidden) nats.publish(subject, '{}');
        nats.publish(subjects.event('fred', 'heartbeat'), '');
        return heard;
      })
      .toContain(subjects.event('fred', 'heartbeat'));
    await Promise.all([controller, asked, node].map(each => each.flush()));
    expect(new Set(heard)).toEqual(new Set([subjects.event('fred', 'heartbeat')]));
    expect(toRoster).toEqual([]);
    expect(toNode).toEqual([]);
    const manager = await jetstreamManager(controller, { checkAPI: false });
    const { state } = await manager.streams.info(stream, { subjects_filter: '>' });
    expect(Object.keys(state.subjects ?? {})).toEqual([subjects.bundle('demo', 'f'.repeat(64))]);
    for (const each of [nats, asked, node]) await each.close();
  });

  it('hears no answers to the controller, and is not asked for other machines', async () => {
    const nats = await attacker();
    const heard = hear(nats, '_INBOX.controller.>', '_INBOX.roster.>', subjects.agent('b'), subjects.logs);
    const own = hear(nats, subjects.allAny);
    await nats.flush();
    const node = await connectNode('b', 'node-101');
    await expect
      .poll(() => {
        node.publish('_INBOX.controller.x2.node-101', '');
        node.publish(subjects.log('node-101'), '');
        controller.publish(subjects.all('ping'), '');
        return own;
      })
      .toContain(subjects.all('ping'));
    const roster = await servers.as('hub', 'console');
    await roster.request(subjects.roster, '', { timeout: 5_000 });
    await controller.flush();
    expect(heard).toEqual([]);
    for (const each of [nats, node, roster]) await each.close();
  });

  it('is no client of the hub with the keys of the links', async () => {
    const { link, cookies } = servers.keysOf('c');
    for (const seed of [link, ...cookies.map(each => each.link)]) {
      const authenticator = nkeyAuthenticator(Buffer.from(seed));
      await expect(servers.connect('hub', authenticator)).rejects.toThrow(/authorization/i);
    }
  });
});

it('a machine can have more subscriptions than a client', async () => {
  const user = nkeys.createUser();
  const url = await servers.startInPlaceOf('b', config => {
    delete config.authorization;
    config.accounts[COOKIE]?.users.push({ nkey: user.getPublicKey() });
  });
  const nodes = Array.from({ length: 3_000 }, (_, index) => `node-${index}`);
  const heard = new Set<string>();
  const clients = await Promise.all(
    [0, 1_000, 2_000].map(async first => {
      const nats = await servers.connect('b', nkeyAuthenticator(user.getSeed()), { servers: url });
      for (const node of nodes.slice(first, first + 1_000))
        nats.subscribe(subjects.nodeAny(node), { callback: (_, { subject }) => void heard.add(subject) });
      await nats.flush();
      return nats;
    }),
  );
  await expect
    .poll(
      () => {
        for (const node of nodes) controller.publish(subjects.node(node, 'ping'), '');
        return heard.size;
      },
      { timeout: 10_000, interval: 500 },
    )
    .toBe(nodes.length);
  for (const nats of clients) await nats.close();
});
