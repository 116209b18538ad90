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
}

/** A container as the roster knows it. */
export type Container = Extract<RosterAnswer, { status: 'containers' }>['containers'][number];

/** Milliseconds. */
const ROSTER_TIMEOUT_MS = 2_000;

/** Docker's states of a container whose node should answer. */
export const SHOULD_ANSWER = new Set(['running', 'paused', 'restarting']);

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
 * Joins the engine's containers with the nodes that are present on NATS. A running container should answer, under the name of
 * its heartbeats or else the one that follows from the container's name. A node that the engine does not know (it runs
 * elsewhere) should answer while it is present.
 */
export function join(
  containers: readonly Pick<Container, 'id' | 'name' | 'node' | 'state'>[],
  present: readonly NodeDescription[],
): Member[] {
  const namesById = new Map(containers.map(container => [container.id, namesOf(container)]));
  const taken = new Set([...namesById.values()].flat());
  // NATS enforces a node's name, but not which container it says that it is.
  const believed = present.filter(
    ({ node, container }) => !taken.has(node) || namesById.get(container)?.includes(node) === true,
  );
  const heard = new Map(believed.map(description => [description.container, description]));
  const running = containers
    .filter(({ state }) => SHOULD_ANSWER.has(state))
    .map(container => ({ node: heard.get(container.id)?.node ?? nodeOf(container), container: container.id }));
  return [...running, ...present.filter(({ container }) => !namesById.has(container)).map(memberOf)];
}

export function memberOf({ node, container }: NodeDescription): Member {
  return { node, container };
}
