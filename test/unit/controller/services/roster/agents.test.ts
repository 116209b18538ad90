import type { NatsConnection } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';

import { agentOf, agentsRoster } from '../../../../../controller/src/services/roster/agents.ts';
import { ComposeRoster } from '../../../../../controller/src/services/roster/compose.ts';
import { agentQuestions } from '../../../../../controller/src/services/roster/questions.ts';
import {
  answerOf,
  holderOf,
  type Members,
  type Roster,
  type RosterMember,
  type RosterState,
} from '../../../../../controller/src/services/roster/roster.ts';
import { encode } from '../../../../../protocol/codec.ts';
import { PROTOCOL } from '../../../../../protocol/version.ts';
import { rosterContract } from '../../../../support/roster/roster-contract.ts';
import { ServiceEngine } from '../../../../support/roster/service-engine.ts';

/** An agent that is asked without NATS. */
function askedDirectly(machine: string, roster: Roster): Roster {
  const questions = agentQuestions('dino', machine, roster);
  const request = async (subject: string, data: Uint8Array) => {
    const answer = questions.get(subject);
    if (answer === undefined) throw new Error('no responders');
    return { data: encode({ protocol: PROTOCOL, ...(await answer(data)) }) };
  };
  return agentOf({ request } as unknown as NatsConnection, 'dino', machine);
}

/** A roster whose answer is what the test says. */
class Said implements Roster {
  state: RosterState;

  constructor(members: readonly RosterMember[]) {
    this.state = { status: 'members', members, duplicates: [], unreachable: [] };
  }

  members = async (): Promise<RosterState> => this.state;
  membersNow = async (): Promise<RosterState> => this.state;
  [Symbol.dispose] = (): void => undefined;
}

const container = (node: string, id: string, address: string, state = 'running'): RosterMember => ({
  id,
  name: `hotcast-${node}`,
  node,
  state,
  createdAt: 0,
  addresses: [address],
  machine: null,
});

async function membersOf(roster: Roster): Promise<Members> {
  const state = await roster.members();
  if (state.status === 'unavailable') throw new Error(state.detail);
  return state;
}

const names = (members: readonly RosterMember[]) => members.map(({ node, machine, id }) => `${node} ${machine} ${id}`);

rosterContract('several machines, in memory', async () => {
  const engine = new ServiceEngine();
  const compose = new ComposeRoster(engine, ['hotcast.node=dino'], 'hotcast');
  void compose.follow();
  const roster = agentsRoster([
    { name: 'hub', roster: new Said([]) },
    { name: 'b', roster: askedDirectly('b', compose) },
  ]);
  return {
    roster,
    server: 'b',
    scale: async replicas => engine.scale(replicas),
    kill: async replica => engine.kill(replica),
    [Symbol.asyncDispose]: async () => compose[Symbol.dispose](),
  };
});

describe('the containers of several machines', () => {
  it('have the machine of the agent that was asked, whatever it says', async () => {
    const lies = { ...container('fred', 'bbbbbbbbbbbb', '172.18.0.5'), machine: 'hub', server: 'hub' };
    const roster = agentsRoster([
      { name: 'hub', roster: new Said([]) },
      { name: 'b', roster: askedDirectly('b', new Said([lies])) },
    ]);
    expect(names((await membersOf(roster)).members)).toEqual(['fred b bbbbbbbbbbbb']);
    expect(answerOf(await roster.members())).toMatchObject({ containers: [{ node: 'fred', machine: 'b' }] });
    expect(await holderOf(roster, { address: '172.18.0.5', server: 'hub' })).toEqual({ status: 'unknown' });
    expect(await holderOf(roster, { address: '172.18.0.5', server: 'b' })).toEqual({ status: 'member', node: 'fred' });
  });

  it('are told apart by the server that they connect to when they have the same address', async () => {
    const roster = agentsRoster([
      { name: 'hub', roster: new Said([container('fred', 'aaaaaaaaaaaa', '172.18.0.5')]) },
      { name: 'b', roster: new Said([container('node-101', 'bbbbbbbbbbbb', '172.18.0.5')]) },
    ]);
    const holder = (server?: string) =>
      holderOf(roster, { address: '172.18.0.5', ...(server === undefined ? {} : { server }) });
    expect(await holder('hub')).toEqual({ status: 'member', node: 'fred' });
    expect(await holder('b')).toEqual({ status: 'member', node: 'node-101' });
    expect(await holder('c')).toEqual({ status: 'unknown' });
    expect(await holder()).toEqual({ status: 'unknown' });
  });

  it('have one member of a name: no later machine can take that of an earlier one, whatever its state', async () => {
    const hub = new Said([container('fred', 'aaaaaaaaaaaa', '172.18.0.5')]);
    const roster = agentsRoster([
      { name: 'hub', roster: hub },
      { name: 'b', roster: new Said([{ ...container('fred', 'bbbbbbbbbbbb', '172.18.0.5'), createdAt: 1 }]) },
      { name: 'c', roster: new Said([container('fred', 'cccccccccccc', '172.18.0.5', 'exited')]) },
    ]);
    for (const state of ['running', 'restarting', 'exited']) {
      hub.state = (await membersOf(new Said([container('fred', 'aaaaaaaaaaaa', '172.18.0.5', state)]))) as RosterState;
      const { members, duplicates } = await membersOf(roster);
      expect(names(members)).toEqual(['fred hub aaaaaaaaaaaa']);
      expect(names(duplicates)).toEqual(['fred b bbbbbbbbbbbb']);
      expect(await holderOf(roster, { address: '172.18.0.5', server: 'b' })).toEqual({
        status: 'duplicate',
        node: 'fred',
      });
    }
  });
});

describe('a machine whose agent does not answer', () => {
  it('is named, and what it had still counts; but nobody is told who has an address there', async () => {
    const b = new Said([container('node-101', 'bbbbbbbbbbbb', '172.18.0.5')]);
    const roster = agentsRoster([
      { name: 'hub', roster: new Said([container('fred', 'aaaaaaaaaaaa', '172.18.0.5')]) },
      { name: 'b', roster: b },
    ]);
    await roster.members();
    b.state = { status: 'unavailable', detail: 'the agent of b does not answer' };
    const { members, unreachable } = await membersOf(roster);
    expect(names(members)).toEqual(['fred hub aaaaaaaaaaaa', 'node-101 b bbbbbbbbbbbb']);
    expect(unreachable).toEqual(['b']);
    expect(await holderOf(roster, { address: '172.18.0.5', server: 'b' })).toEqual({
      status: 'unavailable',
      detail: 'no answer from b',
    });
    expect(await holderOf(roster, { address: '172.18.0.5', server: 'hub' })).toMatchObject({ status: 'member' });
  });

  it('is no reason to know nothing, unless it is every machine', async () => {
    const [hub, b] = [new Said([]), new Said([])];
    const roster = agentsRoster([
      { name: 'hub', roster: hub },
      { name: 'b', roster: b },
    ]);
    hub.state = { status: 'unavailable', detail: "the roster can't ask the Docker engine (ENOENT)" };
    expect(await membersOf(roster)).toMatchObject({ unreachable: ['hub'] });
    b.state = { status: 'unavailable', detail: 'the agent of b does not answer' };
    expect(await roster.members()).toEqual(hub.state);
  });

  it.each([
    ['is silent', () => Promise.reject(new Error('timeout'))],
    [
      'answers nonsense',
      async () => ({ data: encode({ status: 'containers', protocol: PROTOCOL, containers: 'no' }) }),
    ],
    [
      'has a name that is none',
      async () => ({
        data: encode({
          status: 'containers',
          protocol: PROTOCOL,
          containers: [{ ...container('*.>', 'b', '172.18.0.5'), machine: undefined }],
        }),
      }),
    ],
  ])('because it %s', async (_, request) => {
    expect(await agentOf({ request } as unknown as NatsConnection, 'dino', 'b').members()).toEqual({
      status: 'unavailable',
      detail: 'the agent of b does not answer',
    });
  });
});
