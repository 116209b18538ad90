import type { HolderAnswer, HolderRequest, RosterAnswer } from '../../../../protocol/messages.ts';
import { serviceOf } from '../../../../protocol/names.ts';

/** A container, or a task of Docker Swarm, in which a node of the cluster runs or has run. */
export interface RosterMember {
  /** The short id of its container; '' when the roster does not know it. */
  readonly id: string;
  readonly name: string;
  /** The name of its node, see `nodeNameOf`: the auth callout and the node itself make the same of the same name. */
  readonly node: string;
  /** As Docker says: `running`, `paused`, `exited`, … */
  readonly state: string;
  /** Milliseconds since 1970; null when the roster does not know. */
  readonly createdAt: number | null;
  /** Its IPv4 addresses on the networks of the cluster. */
  readonly addresses: readonly string[];
  /** The machine that it is on; null when there is only one. */
  readonly machine: string | null;
  /** The name of the NATS server that its node connects to, where its addresses can be those of other machines too. Absent: any. */
  readonly server?: string;
  /** What the engine said of its last start; differs for each start. Absent when the roster has seen none. */
  readonly lastStart?: string;
}

/** Who should answer, as a roster knows it. */
export interface Members {
  readonly status: 'members';
  readonly members: readonly RosterMember[];
  /** Those that run beside a member of the same name: a lost machine whose containers live on, for example. They are no members. */
  readonly duplicates: readonly RosterMember[];
  /** The machines that did not answer. What runs there is not known. */
  readonly unreachable: readonly string[];
}

/** `unavailable`: nothing is known, and why. */
export type RosterState = Members | { readonly status: 'unavailable'; readonly detail: string };

/** Knows which nodes should answer, wherever they run. */
export interface Roster extends Disposable {
  /** As it is now, or was a moment ago: a provider says how long it keeps what it has read. */
  members(): Promise<RosterState>;
  /** As it is now: read after this call. */
  membersNow(): Promise<RosterState>;
}

/** The same for the controller and the console. */
export function answerOf(state: RosterState): RosterAnswer {
  if (state.status === 'unavailable') return state;
  const { members, duplicates, unreachable } = state;
  return {
    status: 'containers',
    containers: members.map(({ id, name, node, state: word, createdAt, machine, lastStart }) => ({
      id,
      name,
      node,
      group: serviceOf(node),
      state: word,
      ...(createdAt === null ? {} : { createdAt }),
      ...(machine === null ? {} : { machine }),
      ...(lastStart === undefined ? {} : { lastStart }),
    })),
    ...(duplicates.length === 0 ? {} : { duplicates: duplicates.map(duplicateOf) }),
    ...(unreachable.length === 0 ? {} : { unreachable: [...unreachable] }),
  };
}

function duplicateOf({ id, name, node, machine }: RosterMember) {
  return { id, name, node, ...(machine === null ? {} : { machine }) };
}

/** Who has an address. A roster that has just been read may not know a container that has just started, so it is read again. */
export async function holderOf(roster: Roster, request: HolderRequest): Promise<HolderAnswer> {
  const before = findHolder(await roster.members(), request);
  return before.status === 'unknown' ? findHolder(await roster.membersNow(), request) : before;
}

function findHolder(state: RosterState, { address, server }: HolderRequest): HolderAnswer {
  if (state.status === 'unavailable') return state;
  // What was known of its machine can be another one's address by now.
  if (server !== undefined && state.unreachable.includes(server))
    return { status: 'unavailable', detail: `no answer from ${server}` };
  const has = (member: RosterMember): boolean =>
    member.addresses.includes(address) && (member.server === undefined || member.server === server);
  const member = state.members.find(has);
  if (member !== undefined) return { status: 'member', node: member.node };
  const duplicate = state.duplicates.find(has);
  return duplicate === undefined ? { status: 'unknown' } : { status: 'duplicate', node: duplicate.node };
}
