import { describe, expect } from 'vitest';

import { streamOf, subjectsOf } from '../../../../protocol/subjects.ts';
import { Attacker, UNKNOWN_NODE } from '../../../support/attack/attacker.ts';
import { descriptionOf } from '../../../unit/fixtures.ts';
import { nodeInbox, type Role } from '../../../../protocol/inboxes.ts';
import { it } from './cluster.ts';

/** Subjects, by the action that a client performs when it publishes or subscribes there. */
type Actions = Readonly<Record<string, readonly string[]>>;

const REVISION = 'f'.repeat(64);

/** Subjects on which only a controller can publish. */
export function controllerOnly(cookie: string): Actions {
  const subjects = subjectsOf(cookie);
  const stream = streamOf(cookie);
  return {
    'publish code': [subjects.bundle('demo', REVISION), subjects.head('demo'), subjects.headResult('demo')],
    'send requests to all nodes': (['commit', 'call', 'purge', 'dry-run', 'digest', 'load'] as const).map(subjects.all),
    'send requests to one node': (['load', 'call', 'purge', 'evaluate'] as const).map(verb =>
      subjects.node('fred', verb),
    ),
    'change the stream': ['CREATE', 'UPDATE', 'DELETE', 'PURGE', 'MSG.DELETE', 'SNAPSHOT', 'RESTORE'].map(
      verb => `$JS.API.STREAM.${verb}.${stream}`,
    ),
  };
}

/** Subjects on which no role can publish. */
function publishedByNoRole(cookie: string): Actions {
  const subjects = subjectsOf(cookie);
  const other = streamOf(`${cookie}-2`);
  return {
    'create another stream': ['$JS.API.STREAM.CREATE.THIEF', '$JS.API.STREAM.UPDATE.THIEF'],
    'delete or copy the stream': [
      `$JS.API.STREAM.DELETE.${streamOf(cookie)}`,
      `$JS.API.STREAM.SNAPSHOT.${streamOf(cookie)}`,
    ],
    'create consumers': [
      `$JS.API.CONSUMER.CREATE.${streamOf(cookie)}`,
      `$JS.API.CONSUMER.DURABLE.CREATE.${streamOf(cookie)}.thief`,
    ],
    'list streams': ['$JS.API.STREAM.NAMES', '$JS.API.STREAM.LIST'],
    "read another cookie's stream": [
      `$JS.API.DIRECT.GET.${other}`,
      `$JS.API.DIRECT.GET.${other}.hotcast.x.head.demo`,
      `$JS.API.STREAM.INFO.${other}`,
    ],
    'publish under another cookie': [subjectsOf(`${cookie}-2`).head('demo'), subjectsOf(`${cookie}-2`).roster],
    'publish events of a node': [subjects.event('fred', 'goodbye'), subjects.event('fred', 'heartbeat')],
    'publish logs of a node': [subjects.log('fred')],
    "claim a node's name": [subjects.claim('fred')],
    'send requests to the NATS server': ['$SYS.REQ.SERVER.PING', '$SYS.REQ.USER.AUTH', '$SYS.ACCOUNT.x.DISCONNECT'],
    'answer as a node to another node': [`${nodeInbox('fred')}.abc`],
    'publish on any other subject': ['hotcast', `hotcast.${cookie}`, `hotcast.${cookie}.x`, 'x'],
  };
}

/** Subjects to which no role can subscribe. */
function subscribedByNoRole(cookie: string): Actions {
  const other = subjectsOf(`${cookie}-2`);
  return {
    'to wildcards for everything': ['>', '*', 'hotcast.>', `hotcast.${cookie}.>`, '*.>'],
    'to subjects of the NATS server': ['$SYS.>', '$JS.>', '$JS.API.>', '$JSC.>'],
    'to the inboxes of others': ['_INBOX.>', '_INBOX.*', `${nodeInbox('fred')}.>`],
    'to another cookie': [other.events, other.heads, other.allAny],
  };
}

/** Subjects on which a certain role cannot publish, beside {@link publishedByNoRole}. */
const publishing: readonly (readonly [Role, (cookie: string) => Actions])[] = [
  ['node', controllerOnly],
  ['roster', controllerOnly],
  ['observer', controllerOnly],
  [
    'node',
    cookie => ({
      'answer as another node': ['_INBOX.controller.abc.fred', '_INBOX.controller.abc', '_INBOX.controller.abc.fred.x'],
      'answer as the roster': ['_INBOX.roster.abc', '_INBOX.controller.mux.token'],
      'send requests to the roster': [subjectsOf(cookie).roster],
    }),
  ],
  ['roster', cookie => ({ 'read the stream': [`$JS.API.DIRECT.GET.${streamOf(cookie)}`, '$JS.API.INFO'] })],
  [
    'observer',
    cookie => ({
      'read code': [`$JS.API.DIRECT.GET.${streamOf(cookie)}.${subjectsOf(cookie).bundle('demo', REVISION)}`],
      'send requests to the roster': [subjectsOf(cookie).roster],
      'answer a controller': ['_INBOX.controller.abc', '_INBOX.controller.abc.fred'],
    }),
  ],
  ['controller', cookie => ({ 'answer itself': ['_INBOX.controller.abc.fred', subjectsOf(cookie).events] })],
];

/** Subjects to which a certain role cannot subscribe, beside {@link subscribedByNoRole}. */
const subscribing: readonly (readonly [Role, (cookie: string) => Actions])[] = [
  [
    'node',
    cookie => ({
      'to other nodes': [subjectsOf(cookie).nodeAny('fred'), subjectsOf(cookie).anyNode, subjectsOf(cookie).events],
      'to logs': [subjectsOf(cookie).logs, subjectsOf(cookie).log('fred')],
      'to a controller': ['_INBOX.controller.>', subjectsOf(cookie).roster, subjectsOf(cookie).headResults],
    }),
  ],
  [
    'roster',
    cookie => ({
      'to logs': [subjectsOf(cookie).logs],
      'to the cluster': [subjectsOf(cookie).events, subjectsOf(cookie).bundles, subjectsOf(cookie).allAny],
      'to a controller': ['_INBOX.controller.>'],
    }),
  ],
  [
    'observer',
    cookie => ({
      'to logs': [subjectsOf(cookie).logs],
      'to requests and code': [subjectsOf(cookie).bundles, subjectsOf(cookie).allAny, subjectsOf(cookie).anyNode],
      'to a controller': ['_INBOX.controller.>', subjectsOf(cookie).roster],
    }),
  ],
  [
    'controller',
    cookie => ({ 'as the roster or as a node': [subjectsOf(cookie).roster, subjectsOf(cookie).claim('fred')] }),
  ],
];

const ALL_ROLES: readonly Role[] = ['controller', 'node', 'roster', 'observer'];
const publishRows = [...publishing, ...ALL_ROLES.map(role => [role, publishedByNoRole] as const)].flatMap(
  ([role, actions]) => Object.keys(actions('x')).map(action => [role, action, actions] as const),
);
const subscribeRows = [...subscribing, ...ALL_ROLES.map(role => [role, subscribedByNoRole] as const)].flatMap(
  ([role, actions]) => Object.keys(actions('x')).map(action => [role, action, actions] as const),
);

describe('a client with the NATS credentials of a', () => {
  it.for(publishRows)('%s cannot %s', async ([role, action, actions], { cluster, revision, nodeObserver }) => {
    const snapshot = await nodeObserver.snapshot();
    await using attacker = await Attacker.as(cluster, role);
    const subjects = actions(cluster.cookie)[action] ?? [];
    expect(await attacker.attempt(subjects, [])).toEqual(subjects.map(subject => `publish ${subject}`));
    expect(await nodeObserver.snapshot()).toEqual(snapshot);
    expect(JSON.stringify(snapshot)).toContain(revision);
  });

  it.for(subscribeRows)('%s cannot subscribe %s', async ([role, action, actions], { cluster }) => {
    await using attacker = await Attacker.as(cluster, role);
    const subjects = actions(cluster.cookie)[action] ?? [];
    expect(await attacker.attempt([], subjects)).toEqual(subjects.map(subject => `subscription ${subject}`));
  });

  it('node cannot report a state for another node', async ({ cluster, revision }) => {
    await using attacker = await Attacker.as(cluster, 'node');
    const subjects = subjectsOf(cluster.cookie);
    const fred = await cluster.container('fred');
    const forgedDescription = JSON.stringify(descriptionOf('fred', {}, fred.id.slice(0, 12)));
    const own = [subjects.event(UNKNOWN_NODE, 'goodbye'), subjects.event(UNKNOWN_NODE, 'heartbeat')];
    expect(await attacker.attempt(own, [], forgedDescription)).toEqual([]);
    await cluster.waitForLog('controller', ({ msg }) => /event.* malformed|malformed event/.test(msg));
    expect((await cluster.nodes()).map(({ node, status }) => [node, status])).toEqual(
      cluster.nodeNames.map(node => [node, 'present']),
    );
    expect(revision).toMatch(/^[0-9a-f]{64}$/);
  });

  it('node cannot fill the log of the controller', async ({ cluster }) => {
    await using attacker = await Attacker.as(cluster, 'node');
    const subject = subjectsOf(cluster.cookie).event(UNKNOWN_NODE, 'rejected');
    const before = (await cluster.logsOf('controller')).length;
    const payloads = [JSON.stringify({ node: UNKNOWN_NODE, fault: 'x'.repeat(100), subject, count: 1 }), '{}', 'x', ''];
    for (let index = 0; index < 10_000; index += 1)
      attacker.nats.publish(subject, payloads[index % payloads.length] ?? '');
    await attacker.nats.flush();
    expect((await cluster.status()).exitCode).toBe(0);
    expect((await cluster.logsOf('controller')).length - before).toBeLessThan(10);
  });
});
