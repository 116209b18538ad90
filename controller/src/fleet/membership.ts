import type { NatsConnection } from '@nats-io/transport-node';

import { decode } from '../../../protocol/codec.ts';
import { DecodeError, UsageError } from '../../../protocol/errors.ts';
import { HEARTBEAT_INTERVAL, MISSED_HEARTBEATS } from '../../../protocol/limits.ts';
import {
  type NodeDescription,
  nodeDescription,
  rosterAnswer,
  type RosterAnswer,
  rejectedEvent,
} from '../../../protocol/messages.ts';
import { compareNodes, nodeNameOf } from '../../../protocol/names.ts';
import { LogThrottle } from '../../../shared/log-throttle.ts';
import type { Subjects } from '../../../protocol/subjects.ts';
import type { OnReport } from '../api/command.ts';
import type { Logger } from '../../../shared/logger.ts';

/** A node that should answer. */
export interface Member {
  readonly node: string;
  /** The container's short id. */
  readonly container: string;
}

/** Who should answer, and what is worth a warning about how that is known. */
export interface Expected {
  readonly members: readonly Member[];
  readonly warning: string | null;
}

type Container = Extract<RosterAnswer, { status: 'containers' }>['containers'][number];

/** How long the roster may take (milliseconds). */
const ROSTER_PATIENCE = 2_000;

/** A container this young may not have said a word yet (milliseconds). */
const STARTING = 10_000;

/** How long a starting container is waited for (milliseconds). */
const STARTING_PATIENCE = 3_000;

/** Docker's states of a container whose node should be answering. */
const SHOULD_ANSWER = new Set(['running', 'paused', 'restarting']);

/** Knows who should answer: the roster's containers, joined with who is present on NATS. */
export class Membership {
  readonly #nats: NatsConnection;
  readonly #subjects: Subjects;
  readonly #present = new Map<string, { description: NodeDescription; until: number }>();
  readonly #listeners: ((kind: string, description: NodeDescription) => void)[] = [];

  constructor(nats: NatsConnection, subjects: Subjects, log: Logger) {
    this.#nats = nats;
    this.#subjects = subjects;
    const throttle = new LogThrottle();
    nats.subscribe(subjects.events, {
      callback: (error, message) => {
        if (error !== null) return;
        const { subject, data } = message;
        const [sender = '', kind = ''] = subject.split('.').slice(-2);
        try {
          if (kind === 'rejected') {
            const event = own(decode(rejectedEvent, data), sender);
            const count = throttle.count(`rejected ${sender}`);
            if (count !== null) log.warn(event, 'a node was sent what it does not trust');
          } else this.#hear(kind, own(decode(nodeDescription, data), sender));
        } catch (cause) {
          const count = throttle.count(`malformed ${sender}`);
          if (count !== null) log.warn({ err: cause, subject, count }, 'an event was malformed');
        }
      },
    });
  }

  /** Has a listener told of every event: its kind (see EventKind) and what the node said of itself. */
  onEvent(listener: (kind: string, description: NodeDescription) => void): void {
    this.#listeners.push(listener);
  }

  /** The nodes that should answer now, in no order. Those that are just starting are waited for, a little. */
  async expected(): Promise<Expected> {
    const roster = await this.#askRoster();
    if (roster.status === 'unavailable') {
      const warning = `${roster.detail}; only nodes that are present on NATS are expected to answer`;
      return { members: this.present().map(memberOf), warning };
    }
    await this.#hearStarting(roster.containers);
    return { members: join(roster.containers, this.present()), warning: null };
  }

  async #hearStarting(containers: readonly Container[]): Promise<void> {
    const deadline = performance.now() + STARTING_PATIENCE;
    const young = containers.filter(({ state, createdAt }) => state === 'running' && Date.now() - createdAt < STARTING);
    while (young.length > 0 && performance.now() < deadline) {
      const heard = new Set(this.present().map(({ container }) => container));
      if (young.every(({ id }) => heard.has(id))) return;
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  }

  /** What each node said of itself last that is present on NATS. */
  present(): NodeDescription[] {
    const now = performance.now();
    for (const [node, { until }] of this.#present) {
      if (now > until) this.#present.delete(node);
    }
    return [...this.#present.values()].map(({ description }) => description);
  }

  #hear(kind: string, description: NodeDescription): void {
    if (kind === 'goodbye') this.#present.delete(description.node);
    else {
      const { heartbeatInterval = HEARTBEAT_INTERVAL } = description;
      const until = performance.now() + MISSED_HEARTBEATS * heartbeatInterval;
      this.#present.set(description.node, { description, until });
    }
    for (const listener of this.#listeners) listener(kind, description);
  }

  async #askRoster(): Promise<RosterAnswer> {
    try {
      const message = await this.#nats.request(this.#subjects.roster, '', { timeout: ROSTER_PATIENCE });
      return decode(rosterAnswer, message.data);
    } catch {
      return { status: 'unavailable', detail: 'the roster does not answer' };
    }
  }
}

/**
 * Joins the engine's containers with who was heard on NATS: a running container should answer, under the name that it
 * was heard with or else the one that follows from its container's name; a node that the engine does not know (it runs
 * elsewhere) should answer while it is heard.
 */
export function join(
  containers: readonly Pick<Container, 'id' | 'name' | 'state'>[],
  present: readonly NodeDescription[],
): Member[] {
  const namesById = new Map(
    containers.map(({ id, name }) => {
      const node = nodeNameOf(name);
      return [id, [node, `${node}-${id.slice(0, 6)}`]] as const;
    }),
  );
  const taken = new Set([...namesById.values()].flat());
  // NATS holds a node to its name; that it is another one's container it may only say.
  const believed = present.filter(
    ({ node, container }) => !taken.has(node) || namesById.get(container)?.includes(node) === true,
  );
  const heard = new Map(believed.map(description => [description.container, description]));
  const running = containers
    .filter(({ state }) => SHOULD_ANSWER.has(state))
    .map(({ id, name }) => ({ node: heard.get(id)?.node ?? nodeNameOf(name), container: id }));
  return [...running, ...present.filter(({ container }) => !namesById.has(container)).map(memberOf)];
}

/** What a node tells of itself. @throws DecodeError when it is of another one. */
function own<T extends { readonly node: string }>(told: T, sender: string): T {
  if (told.node !== sender) throw new DecodeError(`${sender} speaks for ${told.node}`);
  return told;
}

function memberOf({ node, container }: NodeDescription): Member {
  return { node, container };
}

/** The names of who should answer. @throws UsageError when there is nobody. */
export function expectedNodes({ members, warning }: Expected, say: OnReport): Set<string> {
  if (warning !== null) say({ type: 'warning', message: warning });
  if (members.length === 0) {
    throw new UsageError('no node of this cookie is running; nothing was sent (start some with: make up NODES=3)');
  }
  return new Set(members.map(({ node }) => node));
}

/** The node that is named, or all who should answer when none is. @throws UsageError when it is not there. */
export function selectNode(expected: Expected, node: string | null, say: OnReport): Set<string> {
  if (node === '') throw new UsageError('name the node: --node fred, or with make NODE=fred');
  const names = expectedNodes(expected, say);
  if (node === null) return names;
  if (names.has(node)) return new Set([node]);
  const known = [...names].toSorted(compareNodes).join(', ');
  throw new UsageError(`there is no node ${JSON.stringify(node)}; nodes here: ${known}`);
}
