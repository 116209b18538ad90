import type { NatsConnection } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';

import { call } from '../../../../controller/src/commands/call/call.ts';
import type { CommandContext } from '../../../../controller/src/commands/context.ts';
import { nodes } from '../../../../controller/src/commands/nodes/nodes.ts';
import { ping } from '../../../../controller/src/commands/nodes/ping.ts';
import { purge } from '../../../../controller/src/commands/purge.ts';
import { encode } from '../../../../protocol/codec.ts';
import type { Head } from '../../../../protocol/head.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { descriptionOf, headOf } from '../../fixtures.ts';

const FLEET = ['fred', 'bambam', 'worker-1', 'worker-2'];
const revision = 'a'.repeat(64);
const onWorker: Head = { ...headOf('ticker', revision, 1), groups: { names: ['worker'], first: false } };

/** A fleet in which each node answers every request that reaches it. */
function fleet(head: Head | null) {
  const subjects = subjectsOf('dino');
  /** The nodes that were asked. */
  const asked: string[] = [];
  type Callback = (error: null, message: { subject: string; data: Uint8Array }) => void;
  let callback: Callback = () => undefined;
  const answerOf = (node: string, subject: string): object => {
    if (subject.endsWith('.ping')) return { node, status: 'pong' };
    if (subject.includes('.purge')) return { node, status: 'purged' };
    if (subject.endsWith('.describe')) return descriptionOf(node);
    return { node, status: 'value', revision, json: '9', output: [] };
  };
  const nats = {
    subscribe: (_: string, how: { callback: Callback }) => {
      ({ callback } = how);
      return { unsubscribe: () => undefined };
    },
    publish: (subject: string, _body: Uint8Array, { reply }: { reply: string }) => {
      const [, , to, name] = subject.split('.');
      for (const node of FLEET) {
        if (to !== 'all' && name !== node) continue;
        asked.push(node);
        callback(null, { subject: `${reply}.${node}`, data: encode(answerOf(node, subject)) });
      }
    },
  };
  const members = FLEET.map(node => ({ node, container: node }));
  const context = {
    nats: nats as unknown as NatsConnection,
    subjects,
    membership: { expected: async () => ({ members, awaited: new Set(FLEET), warning: null }) },
    groups: async () =>
      new Map([
        ['web', ['shop']],
        ['worker', ['ticker']],
        ['api', []],
      ]),
    store: {
      knownHead: () => head,
      lastHead: async () => ({ head }),
      heads: async () => (head === null ? [] : [head]),
      natsClockOffset: async () => null,
    },
  };
  return { asked, context: context as unknown as CommandContext };
}

const common = { cookie: null, timeoutMs: 100 };
const rest = [() => undefined, new AbortController().signal, () => undefined] as const;

async function called(named: { node?: string; group?: string }, head: Head | null): Promise<string[]> {
  const { asked, context } = fleet(head);
  const command = { ...common, type: 'call', call: 'ticker.ticks()', node: null, stack: false, ...named } as const;
  const result = await call(context, command, ...rest);
  expect(result.nodes.map(({ node }) => node)).toEqual(asked);
  return asked;
}

describe('a call', () => {
  it('asks the nodes that the module is for', async () => {
    expect(await called({}, onWorker)).toEqual(['worker-1', 'worker-2']);
    expect(await called({}, { ...onWorker, revision: null })).toEqual(FLEET);
    expect(await called({}, headOf('ticker', revision, 1))).toEqual(FLEET);
    expect(await called({}, null)).toEqual(FLEET);
  });

  it('asks the nodes that are named, whatever the module is for', async () => {
    expect(await called({ group: 'web' }, onWorker)).toEqual(['fred', 'bambam']);
    expect(await called({ node: 'fred' }, onWorker)).toEqual(['fred']);
  });

  it.each([
    [{ group: 'cron' }, 'there is no group "cron"; groups here: web, worker, api'],
    [{ group: 'api' }, 'no node of api is running; nothing was sent'],
    [{ group: 'web', node: 'fred' }, 'name a node, or give --group, not both'],
  ])('with %j asks nobody', async (named, message) => {
    await expect(called(named, null)).rejects.toThrow(message);
  });
});

describe('the nodes of a group', () => {
  it('are pinged alone', async () => {
    const { asked, context } = fleet(null);
    await ping(context, { ...common, type: 'ping', node: null, group: 'worker' }, ...rest);
    expect(asked).toEqual(['worker-1', 'worker-2']);
  });

  it('are listed with it', async () => {
    const listed = async (group: object) =>
      (await nodes(fleet(null).context, { ...common, type: 'nodes', wait: null, ...group }, ...rest)).nodes.map(
        ({ node, group: its }) => [node, its],
      );
    expect(await listed({ group: 'web' })).toEqual([
      ['fred', 'web'],
      ['bambam', 'web'],
    ]);
    expect((await listed({})).map(([, its]) => its)).toEqual(['web', 'web', 'worker', 'worker']);
  });

  it('are purged alone', async () => {
    const { asked, context } = fleet(onWorker);
    const command = {
      ...common,
      type: 'purge',
      module: 'ticker',
      author: 'wilma',
      force: false,
      group: 'worker',
    } as const;
    await purge(context, command, ...rest);
    expect(asked).toEqual(['worker-1', 'worker-2']);
  });
});
