import { type Authenticator, connect, nkeyAuthenticator, nkeys } from '@nats-io/transport-node';
import { describe, expect } from 'vitest';

import { streamOf, subjectsOf } from '../../../protocol/subjects.ts';
import { Attacker, STRANGER } from '../../support/attacker.ts';
import type { Cluster } from '../../support/cluster.ts';
import { clusterTest } from '../../support/cluster-test.ts';
import { Witness } from '../../support/witness.ts';
import { descriptionOf } from '../../unit/fixtures.ts';
import { nodeInbox, type Role } from '../../../protocol/inboxes.ts';

const it = clusterTest({ nodes: 3, neighbour: true })
  .extend('revision', { scope: 'file' }, async ({ cluster }) => (await cluster.push('demo')).revision)
  .extend('witness', { scope: 'file' }, async ({ cluster }, { onCleanup }) => {
    const witness = await Witness.of(cluster);
    onCleanup(() => witness[Symbol.asyncDispose]());
    return witness;
  });

/** Subjects by what somebody does who publishes or subscribes there. */
type Deeds = Readonly<Record<string, readonly string[]>>;

const REVISION = 'f'.repeat(64);

/** What nobody but a controller may publish. */
function asController(cookie: string): Deeds {
  const subjects = subjectsOf(cookie);
  const stream = streamOf(cookie);
  return {
    'bring in code': [subjects.bundle('demo', REVISION), subjects.head('demo'), subjects.headResult('demo')],
    'give orders to all': (['commit', 'call', 'purge', 'dry-run', 'digest', 'load'] as const).map(subjects.all),
    'give orders to one': (['load', 'call', 'purge'] as const).map(verb => subjects.node('fred', verb)),
    'change the stream': ['CREATE', 'UPDATE', 'DELETE', 'PURGE', 'MSG.DELETE', 'SNAPSHOT', 'RESTORE'].map(
      verb => `$JS.API.STREAM.${verb}.${stream}`,
    ),
  };
}

/** What nobody may publish, not even a controller. */
function asNobody(cookie: string): Deeds {
  const subjects = subjectsOf(cookie);
  const other = streamOf(`${cookie}-2`);
  return {
    'make another stream': ['$JS.API.STREAM.CREATE.THIEF', '$JS.API.STREAM.UPDATE.THIEF'],
    'delete the stream or some of its messages': [
      `$JS.API.STREAM.DELETE.${streamOf(cookie)}`,
      `$JS.API.STREAM.MSG.DELETE.${streamOf(cookie)}`,
      `$JS.API.STREAM.SNAPSHOT.${streamOf(cookie)}`,
    ],
    'make consumers': [
      `$JS.API.CONSUMER.CREATE.${streamOf(cookie)}`,
      `$JS.API.CONSUMER.DURABLE.CREATE.${streamOf(cookie)}.thief`,
    ],
    'list streams': ['$JS.API.STREAM.NAMES', '$JS.API.STREAM.LIST'],
    "read another cookie's stream": [
      `$JS.API.DIRECT.GET.${other}`,
      `$JS.API.DIRECT.GET.${other}.hotcast.x.head.demo`,
      `$JS.API.STREAM.INFO.${other}`,
    ],
    "speak under another cookie's name": [subjectsOf(`${cookie}-2`).head('demo'), subjectsOf(`${cookie}-2`).roster],
    'tell events of a node': [subjects.event('fred', 'goodbye'), subjects.event('fred', 'heartbeat')],
    "claim a node's name": [subjects.claim('fred')],
    'ask the system': ['$SYS.REQ.SERVER.PING', '$SYS.REQ.USER.AUTH', '$SYS.ACCOUNT.x.DISCONNECT'],
    "answer in a node's name to another node": [`${nodeInbox('fred')}.abc`],
    'say anything else': ['hotcast', `hotcast.${cookie}`, `hotcast.${cookie}.x`, 'x'],
  };
}

/** Where nobody may listen, not even a controller. */
function earsOfNobody(cookie: string): Deeds {
  const other = subjectsOf(`${cookie}-2`);
  return {
    'to all there is': ['>', '*', 'hotcast.>', `hotcast.${cookie}.>`, '*.>'],
    'to the system': ['$SYS.>', '$JS.>', '$JS.API.>', '$JSC.>'],
    "to others' answers": ['_INBOX.>', '_INBOX.*', `${nodeInbox('fred')}.>`],
    'to another cookie': [other.events, other.heads, other.allAny],
  };
}

/** What of the publishing one role may not do, beside what nobody may. */
const publishing: readonly (readonly [Role, (cookie: string) => Deeds])[] = [
  ['node', asController],
  ['roster', asController],
  ['observer', asController],
  [
    'node',
    cookie => ({
      'answer as another node': ['_INBOX.controller.abc.fred', '_INBOX.controller.abc', '_INBOX.controller.abc.fred.x'],
      'answer as the roster': ['_INBOX.roster.abc', '_INBOX.controller.mux.token'],
      'ask the roster': [subjectsOf(cookie).roster],
    }),
  ],
  ['roster', cookie => ({ 'read the stream': [`$JS.API.DIRECT.GET.${streamOf(cookie)}`, '$JS.API.INFO'] })],
  [
    'observer',
    cookie => ({
      'read code': [`$JS.API.DIRECT.GET.${streamOf(cookie)}.${subjectsOf(cookie).bundle('demo', REVISION)}`],
      'ask the roster': [subjectsOf(cookie).roster],
      'answer a controller': ['_INBOX.controller.abc', '_INBOX.controller.abc.fred'],
    }),
  ],
  ['controller', cookie => ({ 'answer itself': ['_INBOX.controller.abc.fred', subjectsOf(cookie).events] })],
];

/** Where one role may not listen, beside where nobody may. */
const listening: readonly (readonly [Role, (cookie: string) => Deeds])[] = [
  [
    'node',
    cookie => ({
      'to other nodes': [subjectsOf(cookie).nodeAny('fred'), subjectsOf(cookie).anyNode, subjectsOf(cookie).events],
      'to a controller': ['_INBOX.controller.>', subjectsOf(cookie).roster, subjectsOf(cookie).headResults],
    }),
  ],
  [
    'roster',
    cookie => ({
      'to the cluster': [subjectsOf(cookie).events, subjectsOf(cookie).bundles, subjectsOf(cookie).allAny],
      'to a controller': ['_INBOX.controller.>'],
    }),
  ],
  [
    'observer',
    cookie => ({
      'to requests and code': [subjectsOf(cookie).bundles, subjectsOf(cookie).allAny, subjectsOf(cookie).anyNode],
      'to a controller': ['_INBOX.controller.>', subjectsOf(cookie).roster],
    }),
  ],
  ['controller', cookie => ({ 'in its place': [subjectsOf(cookie).roster, subjectsOf(cookie).claim('fred')] })],
];

const EVERY: readonly Role[] = ['controller', 'node', 'roster', 'observer'];
const publishRows = [...publishing, ...EVERY.map(role => [role, asNobody] as const)].flatMap(([role, deeds]) =>
  Object.keys(deeds('x')).map(deed => [role, deed, deeds] as const),
);
const listenRows = [...listening, ...EVERY.map(role => [role, earsOfNobody] as const)].flatMap(([role, deeds]) =>
  Object.keys(deeds('x')).map(deed => [role, deed, deeds] as const),
);

describe('with the NATS credentials of a', () => {
  it.for(publishRows)('%s, nobody can %s', async ([role, deed, deeds], { cluster, revision, witness }) => {
    const standing = await witness.standing();
    await using attacker = await Attacker.as(cluster, role);
    const subjects = deeds(cluster.cookie)[deed] ?? [];
    expect(await attacker.attempt(subjects, [])).toEqual(subjects.map(subject => `publish ${subject}`));
    expect(await witness.standing()).toEqual(standing);
    expect(JSON.stringify(standing)).toContain(revision);
  });

  it.for(listenRows)('%s, nobody can listen %s', async ([role, deed, deeds], { cluster }) => {
    await using attacker = await Attacker.as(cluster, role);
    const subjects = deeds(cluster.cookie)[deed] ?? [];
    expect(await attacker.attempt([], subjects)).toEqual(subjects.map(subject => `subscription ${subject}`));
  });

  it('node, nobody is believed who tells of another node under its own name', async ({ cluster, revision }) => {
    await using attacker = await Attacker.as(cluster, 'node');
    const subjects = subjectsOf(cluster.cookie);
    const fred = await cluster.container('fred');
    const told = JSON.stringify(descriptionOf('fred', {}, fred.id.slice(0, 12)));
    const own = [subjects.event(STRANGER, 'goodbye'), subjects.event(STRANGER, 'heartbeat')];
    expect(await attacker.attempt(own, [], told)).toEqual([]);
    await cluster.logged('controller', ({ msg }) => msg === 'an event was malformed');
    expect((await cluster.nodes()).map(({ node, status }) => [node, status])).toEqual(
      cluster.names.map(node => [node, 'present']),
    );
    expect(revision).toMatch(/^[0-9a-f]{64}$/);
  });

  it('node, nobody fills the log of the controller', async ({ cluster }) => {
    await using attacker = await Attacker.as(cluster, 'node');
    const subject = subjectsOf(cluster.cookie).event(STRANGER, 'rejected');
    const before = (await cluster.logsOf('controller')).length;
    const lies = [JSON.stringify({ node: STRANGER, fault: 'x'.repeat(100), subject, count: 1 }), '{}', 'x', ''];
    for (let index = 0; index < 10_000; index += 1) attacker.nats.publish(subject, lies[index % lies.length] ?? '');
    await attacker.nats.flush();
    expect((await cluster.status()).exitCode).toBe(0);
    expect((await cluster.logsOf('controller')).length - before).toBeLessThan(10);
  });
});

describe('NATS lets nobody in', () => {
  const stranger = nkeys.createUser();
  const posing: (role: Role, cluster: Cluster) => Authenticator = (role, cluster) => nonce => ({
    nkey: publicKeyOf(cluster.keys.as(role, cluster.cookie)),
    sig: Buffer.from(stranger.sign(Buffer.from(nonce ?? ''))).toString('base64url'),
  });
  const ways: readonly (readonly [string, (cluster: Cluster) => Authenticator | undefined])[] = [
    ['without credentials', () => undefined],
    ['with a password', () => () => ({ user: 'hotcast', pass: 'dino' })],
    ['with a token', () => () => ({ auth_token: 'dino' })],
    ['with a made-up key', () => nkeyAuthenticator(stranger.getSeed())],
    ["with the controller's public key and another signature", cluster => posing('controller', cluster)],
    ["with the nodes' public key and another signature", cluster => posing('node', cluster)],
    [
      "with the roster's public key and no signature",
      cluster => () => ({ nkey: publicKeyOf(cluster.keys.as('roster', cluster.cookie)), sig: '' }),
    ],
    ['with a made-up JWT', () => () => ({ jwt: 'eyJ0eXAiOiJKV1QifQ.e30.x', nkey: stranger.getPublicKey(), sig: '' })],
  ];

  it.for(ways)('%s', async ([, credentials], { cluster }) => {
    const { servers = '' } = await cluster.natsOptions();
    const authenticator = credentials(cluster);
    const options = { servers, reconnect: false, name: 'hotcast-node 0123456789ab' };
    await expect(connect(authenticator === undefined ? options : { ...options, authenticator })).rejects.toThrow(
      /authorization violation/i,
    );
  });
});

describe("another cookie's credentials", () => {
  it('show nothing of this one, and reach nothing of it', async ({ cluster, witness }) => {
    const cookie = cluster.neighbour;
    await cluster.addController(cookie);
    const standing = await witness.standing();
    await using attacker = await Attacker.as(cluster, 'controller', cookie);
    const subjects = subjectsOf(cluster.cookie);
    const deeds = Object.values({ ...asController(cluster.cookie) }).flat();
    expect(await attacker.attempt(deeds, [])).toEqual(deeds.map(subject => `publish ${subject}`));
    const ears = [subjects.events, subjects.heads, '>', '_INBOX.>'];
    expect(await attacker.attempt([], ears)).toEqual(ears.map(subject => `subscription ${subject}`));
    // Its own inboxes have the same names as this cookie's, and are others.
    const heard: string[] = [];
    attacker.nats.subscribe('_INBOX.controller.>', { callback: (_, message) => void heard.push(message.string()) });
    await attacker.nats.flush();
    expect((await cluster.call('demo.add(4, 5)')).exitCode).toBe(0);
    await attacker.nats.flush();
    expect(heard.join('\n')).not.toContain('fred');
    expect(await witness.standing()).toEqual(standing);
  });

  it('have left the cluster as it was', async ({ cluster }) => {
    expect((await cluster.status()).exitCode).toBe(0);
    for (const node of cluster.names) {
      const { RestartCount } = await (await cluster.container(node)).inspect();
      expect(RestartCount).toBe(0);
    }
  });
});

function publicKeyOf(authenticator: Authenticator): string {
  const auth = authenticator('nonce');
  if (typeof auth !== 'object' || !('nkey' in auth)) throw new TypeError('no key');
  return auth.nkey;
}
