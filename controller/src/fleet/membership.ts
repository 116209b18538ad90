import type { NatsConnection } from '@nats-io/transport-node';

import { decode } from '../../../protocol/codec.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { HEARTBEAT_INTERVAL, MISSED_HEARTBEATS } from '../../../protocol/limits.ts';
import {
  type NodeDescription,
  nodeDescription,
  rejectedEvent,
  rosterAnswer,
  type RosterAnswer,
} from '../../../protocol/messages.ts';
import { nodeNameOf } from '../../../protocol/names.ts';
import type { Subjects } from '../../../protocol/subjects.ts';
import { isSpoken, UNVERSIONED } from '../../../protocol/version.ts';
import { LogThrottle } from '../../../shared/log-throttle.ts';
import type { Logger } from '../../../shared/logger.ts';
import { EventBudget } from './event-budget.ts';
import { type ForeignNode, ForeignNodes, foreignText, versionIn } from './foreign-nodes.ts';

/** A node that should answer. */
export interface Member {
  readonly node: string;
  /** The container's short id. */
  readonly container: string;
}

/** The nodes that should answer, and a warning when that is not known for sure. */
export interface Expected {
  readonly members: readonly Member[];
  /** Those that are worth to wait for: all, without those that were silent and have sent nothing since. */
  readonly awaited: ReadonlySet<string>;
  readonly warning: string | null;
  /** A warning that names the nodes which flood the controller. */
  readonly flood?: string;
  /** A warning that names the nodes of other releases. */
  readonly foreign?: string;
}

/** A container as the roster knows it. */
export type Container = Extract<RosterAnswer, { status: 'containers' }>['containers'][number];
type Listener = (kind: string, description: NodeDescription) => void;

/** Milliseconds. */
const ROSTER_TIMEOUT_MS = 2_000;

/** A container that the roster has named for less time may not have sent a heartbeat yet (milliseconds). */
const STARTING_AGE_MS = 10_000;

/** How long the first heartbeat of a starting container is waited for (milliseconds). */
const STARTING_TIMEOUT_MS = 3_000;

/** Docker's states of a container whose node should answer. */
const SHOULD_ANSWER = new Set(['running', 'paused', 'restarting']);

/** Knows which nodes should answer: the containers of the roster, joined with the heartbeats on NATS. */
export interface Membership extends Disposable {
  /** Calls a listener with every event: its kind (see EventKind) and the description of the node. */
  readonly onEvent: (listener: Listener) => void;
  /** The nodes that should answer now, in no order. Waits shortly for the first heartbeat of those that are starting. */
  readonly expected: () => Promise<Expected>;
  /** Nodes did not answer. The next command does not wait for them, until one of their events arrives. */
  readonly noteSilent: (nodes: Iterable<string>) => void;
  /** The roster's containers that should answer; null when the roster does not know them. */
  readonly containers: () => Promise<readonly Container[] | null>;
  /** The last description of each node that is present on NATS. */
  readonly present: () => NodeDescription[];
  /** The nodes that are present and of another release. Of what they send, nothing else is read. */
  readonly foreign: () => ForeignNode[];
  /** Whether a debugger was attached to a node when it was last heard. At a breakpoint it is silent. */
  readonly isDebugged: (node: string) => boolean;
}

export function createMembership(nats: NatsConnection, subjects: Subjects, log: Logger): Membership {
  const throttle = new LogThrottle();
  const budget = new EventBudget();
  const foreign = new ForeignNodes();
  const heard = new Map<string, { description: NodeDescription; until: number }>();
  /**
   * When the roster first named each of its running containers, by `performance.now`. What it names first is as old as this: a
   * clock of the Docker host says nothing here.
   */
  let namedAt: ReadonlyMap<string, number> | null = null;
  const listeningSince = performance.now();
  /** The nodes that said goodbye, and until when their containers can still run. */
  const goodbyes = new Map<string, { member: Member; until: number }>();
  const debugged = new Set<string>();
  /** The nodes that did not answer, and have sent nothing since. */
  const silent = new Set<string>();
  const listeners: Listener[] = [];

  const update = (kind: string, description: NodeDescription): void => {
    const { node, heartbeatInterval = HEARTBEAT_INTERVAL, leavesWithinMs = 0 } = description;
    silent.delete(node);
    if (kind === 'goodbye') {
      heard.delete(node);
      goodbyes.set(node, { member: memberOf(description), until: performance.now() + leavesWithinMs });
    } else {
      heard.set(node, { description, until: performance.now() + MISSED_HEARTBEATS * heartbeatInterval });
      goodbyes.delete(node);
    }
    if (kind !== 'goodbye' && description.debugged === true) debugged.add(node);
    else debugged.delete(node);
    for (const listener of listeners) listener(kind, description);
  };
  const handle = (subject: string, data: Uint8Array): void => {
    const [sender = '', kind = ''] = subject.split('.').slice(-2);
    if (!budget.take(sender)) {
      const dropped = throttle.count(`flood ${sender}`);
      if (dropped !== null)
        log.warn({ node: sender, dropped }, `${sender} floods the controller with events; most are not read`);
      return;
    }
    if (kind !== 'rejected' && foreign.note(sender, kind, data)) {
      heard.delete(sender);
      const count = throttle.count(`foreign ${sender}`);
      if (count !== null) log.error({ node: sender }, foreignText(foreign.present()));
      return;
    }
    try {
      if (kind !== 'rejected') return update(kind, checkSender(decode(nodeDescription, data), sender));
      const event = checkSender(decode(rejectedEvent, data), sender);
      const count = throttle.count(`rejected ${sender}`);
      if (count !== null) log.warn(event, 'a node rejected a message that no trusted key signed');
    } catch (cause) {
      const count = throttle.count(`malformed ${sender}`);
      if (count !== null) log.warn({ err: cause, subject, count }, 'an event was malformed');
    }
  };
  const present = (): NodeDescription[] => {
    const now = performance.now();
    for (const [node, { until }] of heard) if (now > until) heard.delete(node);
    return [...heard.values()].map(({ description }) => description);
  };
  const leaving = (): Member[] => {
    const now = performance.now();
    for (const [node, { until }] of goodbyes) if (now > until) goodbyes.delete(node);
    return [...goodbyes.values()].map(({ member }) => member);
  };
  const expectedOf = (members: readonly Member[], warning: string | null): Expected => {
    const names = members.map(({ node }) => node);
    const awaited = names.filter(node => !silent.has(node));
    return {
      members,
      awaited: new Set(awaited.length === 0 ? names : awaited),
      warning,
      ...floodWarning(budget),
      ...foreignWarning(foreign),
    };
  };
  const subscription = nats.subscribe(subjects.events, {
    callback: (error, { subject, data }) => {
      if (error === null) handle(subject, data);
    },
  });
  return {
    present,
    foreign: () => foreign.present(),
    isDebugged: node => debugged.has(node),
    containers: async () => {
      const roster = await askRoster(nats, subjects);
      return roster.status === 'unavailable' ? null : roster.containers.filter(({ state }) => SHOULD_ANSWER.has(state));
    },
    onEvent: listener => void listeners.push(listener),
    expected: async () => {
      const roster = await askRoster(nats, subjects);
      if (roster.status === 'unavailable') {
        const warning = `${roster.detail}; only nodes that are present on NATS are expected to answer`;
        return expectedOf(present().map(memberOf), warning);
      }
      const now = performance.now();
      const running = roster.containers.filter(({ state }) => state === 'running');
      const before = namedAt;
      const since = new Map(running.map(({ id }) => [id, before === null ? listeningSince : (before.get(id) ?? now)]));
      namedAt = since;
      const starting = running.filter(({ id }) => now - (since.get(id) ?? now) < STARTING_AGE_MS);
      await waitForStarting(staying(starting, leaving()), present);
      return expectedOf(join(staying(roster.containers, leaving()), present()), null);
    },
    noteSilent: nodes => {
      for (const node of nodes) silent.add(node);
    },
    [Symbol.dispose]: () => {
      subscription.unsubscribe();
      listeners.length = 0;
    },
  };
}

function floodWarning(budget: EventBudget): { readonly flood?: string } {
  const floods = budget.floods().map(({ node, dropped }) => `${node} (${dropped.toLocaleString('en-US')} not read)`);
  return floods.length === 0 ? {} : { flood: `too many events in the last minute of ${floods.slice(0, 5).join(', ')}` };
}

function foreignWarning(foreign: ForeignNodes): { readonly foreign?: string } {
  const nodes = foreign.present();
  return nodes.length === 0 ? {} : { foreign: foreignText(nodes) };
}

async function askRoster(nats: NatsConnection, subjects: Subjects): Promise<RosterAnswer> {
  try {
    const message = await nats.request(subjects.roster, '', { timeout: ROSTER_TIMEOUT_MS });
    const protocol = versionIn(message.data) ?? UNVERSIONED;
    if (isSpoken(protocol)) return decode(rosterAnswer, message.data);
    return { status: 'unavailable', detail: `the roster is of another release (protocol ${protocol}): replace it` };
  } catch {
    return { status: 'unavailable', detail: 'the roster does not answer' };
  }
}

async function waitForStarting(starting: readonly Container[], present: Membership['present']): Promise<void> {
  const deadline = performance.now() + STARTING_TIMEOUT_MS;
  while (starting.length > 0 && performance.now() < deadline) {
    const heard = new Set(present().map(({ container }) => container));
    if (starting.every(({ id }) => heard.has(id))) return;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

/** The containers without those whose nodes have said that they leave. A node speaks for its own container only. */
function staying(containers: readonly Container[], leaving: readonly Member[]): Container[] {
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

/** @throws DecodeError when a node sent an event of another node. */
function checkSender<T extends { readonly node: string }>(event: T, sender: string): T {
  if (event.node !== sender) throw new DecodeError(`${sender} sent an event of ${event.node}`);
  return event;
}

function memberOf({ node, container }: NodeDescription): Member {
  return { node, container };
}
