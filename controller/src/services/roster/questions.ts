import { decode } from '../../../../protocol/codec.ts';
import { holderRequest, type HolderAnswer, type RosterAnswer } from '../../../../protocol/messages.ts';
import { agentRequest, type AgentAnswer } from '../../../../protocol/placement/agents.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { answerOf, holderOf, type Roster } from './roster.ts';

type Answer = RosterAnswer | HolderAnswer | Unversioned<AgentAnswer>;
type Unversioned<T> = T extends unknown ? Omit<T, 'protocol'> : never;

/** What is answered to a message, by its subject. */
export type Questions = ReadonlyMap<string, (data: Uint8Array) => Promise<Answer>>;

/** A roster is asked who should answer, and who has an address. */
export function rosterQuestions(cookie: string, roster: Roster): Questions {
  const subjects = subjectsOf(cookie);
  return new Map<string, (data: Uint8Array) => Promise<Answer>>([
    [subjects.roster, async () => answerOf(await roster.members())],
    [subjects.holder, data => holderOf(roster, decode(holderRequest, data))],
  ]);
}

/** An agent is asked by the roster, for the containers of its machine. */
export function agentQuestions(cookie: string, machine: string, roster: Roster): Questions {
  const answer = async (data: Uint8Array): Promise<Unversioned<AgentAnswer>> => {
    const { fresh } = decode(agentRequest, data);
    const state = await (fresh ? roster.membersNow() : roster.members());
    if (state.status === 'unavailable') return state;
    const containers = state.members.map(({ machine: _machine, server: _server, ...container }) => ({
      ...container,
      addresses: [...container.addresses],
    }));
    return { status: 'containers', containers };
  };
  return new Map([[subjectsOf(cookie).agent(machine), answer]]);
}
