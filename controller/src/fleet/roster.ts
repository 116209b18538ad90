import type { NatsConnection } from '@nats-io/transport-node';

import { decode } from '../../../protocol/codec.ts';
import { type NodeDescription, rosterAnswer, type RosterAnswer } from '../../../protocol/messages.ts';
import { nodeNameOf } from '../../../protocol/names.ts';
import type { Subjects } from '../../../protocol/subjects.ts';
import { isSpoken, UNVERSIONED } from '../../../protocol/version.ts';
import { versionIn } from './foreign-nodes.ts';

/** A node that should answer. */
export interface Member {
  readonly node: string;
  /** The container's short id. */
  readonly container: string;
  /** The machine that it is on. Absent when there is only one, or nobody says. */
  readonly machine?: string;
}

/** A container as the roster knows it. */
export type Container = Known['containers'][number];

/** What the roster says when it knows. */
type Known = Extract<RosterAnswer, { status: 'containers' }>;

/** So many containers that run twice are named. */
const MAX_NAMED = 5;

/** Milliseconds. */
const ROSTER_TIMEOUT_MS = 2_000;

/** Docker's states of a container whose node should answer. */
export const SHOULD_ANSWER = new Set(['running', 'paused', 'restarting']);

/** The state of a container whose node should answer as soon as it is heard: Swarm has not seen yet that it is healthy. */
const STARTING = 'created';

/** Asks the roster for the containers of nodes, in any state. */
export async function askRoster(nats: NatsConnection, subjects: Subjects): Promise<RosterAnswer> {
  try {
    const message = await nats.request(subjects.roster, '', { timeout: ROSTER_TIMEOUT_MS });
    const protocol = versionIn(message.data) ?? UNVERSIONED;
    if (isSpoken(protocol)) return decode(rosterAnswer, message.data);
    return { status: 'unavailable', detail: `the roster is of another release (protocol ${protocol}): replace it` };
  } catch {
    return { status: 'unavailable', detail: 'the roster does not answer' };
  }
}

/**
 * What the roster can't tell of all nodes, or what runs besides: machines that do not answer, and containers that run beside the
 * member of their name. Null when there is none.
 */
export function rosterWarning({ duplicates = [], unreachable = [] }: Known): string | null {
  const where = (machine: string | undefined): string => (machine === undefined ? '' : ` on ${machine}`);
  const doubled = duplicates.map(
    ({ node, id, machine }) => `${node} runs twice: ${id}${where(machine)} is not the member`,
  );
  const silent =
    unreachable.length === 0 ? [] : [`no answer from ${unreachable.join(', ')}: what runs there is not known`];
  const all = [...silent, ...doubled.slice(0, MAX_NAMED), ...more(doubled.length - MAX_NAMED)];
  return all.length === 0 ? null : all.join('; ');
}

const more = (count: number): string[] => (count > 0 ? [`and ${count} more`] : []);

/** The containers without those whose nodes have said that they leave. A node speaks for its own container only. */
export function staying(containers: readonly Container[], leaving: readonly Member[]): Container[] {
  const nodes = new Map(leaving.map(({ node, container }) => [container, node]));
  return containers.filter(container => !namesOf(container).includes(nodes.get(container.id) ?? ''));
}

/** The name of a container's node. */
function nodeOf({ node, name }: Pick<Container, 'name' | 'node'>): string {
  return node ?? nodeNameOf(name, '');
}

/** The names that the node of a container can have: the second one while another container has the first. */
export function namesOf(container: Pick<Container, 'id' | 'name' | 'node'>): string[] {
  const { id } = container;
  const node = nodeOf(container);
  return [node, `${node}-${id.slice(0, 6)}`];
}

/**
 * Joins the engine's containers with the nodes that are present on NATS. A running container should answer, and one that starts if it is
 * present, under the name of its heartbeats or else the one that follows from the container's name. A node that the engine does not know (it runs
 * elsewhere) should answer while it is present. A container without an id is known by the name of its node alone.
 *
 * @param duplicates the ids of the containers that run beside a member of the same name.
 */
export function join(
  containers: readonly Pick<Container, 'id' | 'name' | 'node' | 'state' | 'machine'>[],
  present: readonly NodeDescription[],
  duplicates: ReadonlySet<string> = new Set(),
): Member[] {
  const named = new Set(containers.filter(({ id, state }) => id === '' && SHOULD_ANSWER.has(state)).map(nodeOf));
  const identified = containers.filter(({ id }) => id !== '');
  const namesById = new Map(identified.map(container => [container.id, namesOf(container)]));
  const taken = new Set([...namesById.values()].flat());
  // NATS enforces a node's name, but not which container it says that it is.
  const believed = present.filter(
    ({ node, container }) => !taken.has(node) || namesById.get(container)?.includes(node) === true,
  );
  const heard = new Map(believed.map(description => [description.container, description]));
  const running = identified
    .filter(({ id, state }) => SHOULD_ANSWER.has(state) || (state === STARTING && heard.has(id)))
    .map(container => ({
      node: heard.get(container.id)?.node ?? nodeOf(container),
      container: container.id,
      ...(container.machine === undefined ? {} : { machine: container.machine }),
    }));
  const isElsewhere = ({ node, container }: NodeDescription): boolean =>
    !namesById.has(container) && !duplicates.has(container) && !named.has(node);
  return [
    ...running,
    ...[...named].map(node => namedMember(node, present)),
    ...present.filter(isElsewhere).map(memberOf),
  ];
}

function namedMember(node: string, present: readonly NodeDescription[]): Member {
  return { node, container: present.find(each => each.node === node)?.container ?? '' };
}

export function memberOf({ node, container }: NodeDescription): Member {
  return { node, container };
}
