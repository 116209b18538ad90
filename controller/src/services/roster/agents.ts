import type { NatsConnection } from '@nats-io/transport-node';

import { decode, encode } from '../../../../protocol/codec.ts';
import { agentAnswer, type AgentRequest } from '../../../../protocol/placement/agents.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import type { Members, Roster, RosterMember, RosterState } from './roster.ts';

/** How long an agent has to answer (milliseconds): the auth callout waits for two answers, one after the other. */
const AGENT_TIMEOUT_MS = 700;

/** Docker's states of a container whose node runs. */
const ALIVE: ReadonlySet<string> = new Set(['running', 'paused', 'restarting']);

/** A machine, and what knows its containers. */
export interface Machine {
  readonly name: string;
  readonly roster: Roster;
}

/**
 * The containers of several machines, each of which has an engine of its own. Of those with the same name on two machines, the one on
 * the machine that is named first is the member, whatever its state: no other machine can take its name. What a machine had when it last
 * answered counts until it answers again.
 *
 * @param machines each with the name of the NATS server that its nodes connect to.
 */
export function agentsRoster(machines: readonly Machine[]): Roster {
  const known = new Map<string, readonly RosterMember[]>();
  const read = async (ask: (roster: Roster) => Promise<RosterState>): Promise<RosterState> => {
    const states = await Promise.all(machines.map(({ roster }) => ask(roster)));
    const unreachable: string[] = [];
    for (const [index, { name }] of machines.entries()) {
      const state = states[index];
      if (state?.status === 'members') {
        known.set(
          name,
          state.members.map(member => ({ ...member, machine: name, server: name })),
        );
      } else {
        unreachable.push(name);
      }
    }
    const [first] = states;
    if (unreachable.length === machines.length && first?.status === 'unavailable') return first;
    return merged(
      machines.flatMap(({ name }) => known.get(name) ?? []),
      unreachable,
    );
  };
  return {
    members: () => read(roster => roster.members()),
    membersNow: () => read(roster => roster.membersNow()),
    [Symbol.dispose]: () => {
      for (const { roster } of machines) roster[Symbol.dispose]();
    },
  };
}

/** @param all those of the first machine, then those of the second, … */
function merged(all: readonly RosterMember[], unreachable: readonly string[]): Members {
  const owners = new Map<string, string | null>();
  for (const { node, machine } of all) if (!owners.has(node)) owners.set(node, machine);
  const isMember = ({ node, machine }: RosterMember): boolean => owners.get(node) === machine;
  return {
    status: 'members',
    members: all.filter(isMember),
    duplicates: all.filter(each => !isMember(each) && ALIVE.has(each.state)),
    unreachable,
  };
}

/** The containers of another machine, as its agent says. */
export function agentOf(nats: Pick<NatsConnection, 'request'>, cookie: string, machine: string): Roster {
  const subject = subjectsOf(cookie).agent(machine);
  const ask = async (request: AgentRequest): Promise<RosterState> => {
    try {
      const { data } = await nats.request(subject, encode(request), { timeout: AGENT_TIMEOUT_MS });
      const answer = decode(agentAnswer, data);
      if (answer.status === 'unavailable') return { status: 'unavailable', detail: answer.detail };
      const members = answer.containers.map(container => ({ ...container, machine }));
      return { status: 'members', members, duplicates: [], unreachable: [] };
    } catch {
      return { status: 'unavailable', detail: `the agent of ${machine} does not answer` };
    }
  };
  return {
    members: () => ask({ fresh: false }),
    membersNow: () => ask({ fresh: true }),
    [Symbol.dispose]: () => undefined,
  };
}
