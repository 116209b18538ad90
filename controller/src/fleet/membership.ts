import type { NatsConnection } from '@nats-io/transport-node';

import { decode } from '../../../protocol/codec.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { HEARTBEAT_INTERVAL, MISSED_HEARTBEATS } from '../../../protocol/limits.ts';
import { type NodeDescription, nodeDescription, rejectedEvent } from '../../../protocol/messages.ts';
import type { Subjects } from '../../../protocol/subjects.ts';
import { EventBudget } from '../../../shared/rates/event-budget.ts';
import { LogThrottle } from '../../../shared/rates/log-throttle.ts';
import type { Logger } from '../../../shared/logger.ts';
import { type Departed, Departures } from './departures.ts';
import { type ForeignNode, ForeignNodes, foreignText } from './foreign-nodes.ts';
import {
  askRoster,
  type Container,
  join,
  type Member,
  memberOf,
  rosterWarning,
  SHOULD_ANSWER,
  staying,
} from './roster.ts';

/** The nodes that should answer, and a warning when that is not known for sure. */
export interface Expected {
  readonly members: readonly Member[];
  /** Those that are worth to wait for: all, without those that were silent and have sent nothing since. */
  readonly awaited: ReadonlySet<string>;
  /** Those of them that leave from now on, and those of these that have ended, see {@link Departures}. */
  readonly departed: Departed;
  readonly ended: Departed;
  readonly warning: string | null;
  /** A warning that names the nodes which flood the controller. */
  readonly flood?: string;
  /** A warning that names the nodes of other releases. */
  readonly foreign?: string;
}

type Listener = (kind: string, description: NodeDescription) => void;

/** A container that the roster has named for less time may not have sent a heartbeat yet (milliseconds). */
const STARTING_AGE_MS = 10_000;

/** How long the first heartbeat of a starting container is waited for (milliseconds). */
const STARTING_TIMEOUT_MS = 3_000;

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
  const departures = new Departures(async () => {
    const roster = await askRoster(nats, subjects);
    return roster.status === 'unavailable' ? null : idsOf([...roster.containers, ...(roster.duplicates ?? [])]);
  });
  const debugged = new Set<string>();
  /** The nodes that did not answer, and have sent nothing since. */
  const silent = new Set<string>();
  const listeners: Listener[] = [];

  const update = (kind: string, description: NodeDescription): void => {
    const { node, heartbeatInterval = HEARTBEAT_INTERVAL, leavesWithinMs = 0, hasEnded = false } = description;
    silent.delete(node);
    if (kind === 'goodbye') {
      heard.delete(node);
      departures.goodbye(memberOf(description), leavesWithinMs, hasEnded);
    } else {
      heard.set(node, { description, until: performance.now() + MISSED_HEARTBEATS * heartbeatInterval });
      departures.back(node);
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
  const expectedOf = (
    members: readonly Member[],
    containers: readonly Container[],
    warning: string | null,
  ): Expected => {
    const names = members.map(({ node }) => node);
    const awaited = names.filter(node => !silent.has(node));
    return {
      members,
      awaited: new Set(awaited.length === 0 ? names : awaited),
      ...departures.fromNow(members, idsOf(containers)),
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
        return expectedOf(present().map(memberOf), [], warning);
      }
      const now = performance.now();
      // One without an id is heard by no id.
      const running = roster.containers.filter(({ id, state }) => id !== '' && state === 'running');
      const before = namedAt;
      const since = new Map(running.map(({ id }) => [id, before === null ? listeningSince : (before.get(id) ?? now)]));
      namedAt = since;
      const starting = running.filter(({ id }) => now - (since.get(id) ?? now) < STARTING_AGE_MS);
      await waitForStarting(staying(starting, departures.leaving), present);
      const { containers, duplicates = [] } = roster;
      const members = join(staying(containers, departures.leaving), present(), idsOf(duplicates));
      return expectedOf(members, containers, rosterWarning(roster));
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

const idsOf = (containers: readonly Pick<Container, 'id'>[]): Set<string> => new Set(containers.map(({ id }) => id));

function floodWarning(budget: EventBudget): { readonly flood?: string } {
  const floods = budget.floods().map(({ node, dropped }) => `${node} (${dropped.toLocaleString('en-US')} not read)`);
  return floods.length === 0 ? {} : { flood: `too many events in the last minute of ${floods.slice(0, 5).join(', ')}` };
}

function foreignWarning(foreign: ForeignNodes): { readonly foreign?: string } {
  const nodes = foreign.present();
  return nodes.length === 0 ? {} : { foreign: foreignText(nodes) };
}

async function waitForStarting(starting: readonly Container[], present: Membership['present']): Promise<void> {
  const deadline = performance.now() + STARTING_TIMEOUT_MS;
  while (starting.length > 0 && performance.now() < deadline) {
    const heard = new Set(present().map(({ container }) => container));
    if (starting.every(({ id }) => heard.has(id))) return;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

/** @throws DecodeError when a node sent an event of another node. */
function checkSender<T extends { readonly node: string }>(event: T, sender: string): T {
  if (event.node !== sender) throw new DecodeError(`${sender} sent an event of ${event.node}`);
  return event;
}
