import type { HeadResult } from '../../../../../protocol/history/head-result.ts';
import type { Head } from '../../../../../protocol/head.ts';
import { HEARTBEAT_INTERVAL } from '../../../../../protocol/limits.ts';
import { nodeNameOf } from '../../../../../protocol/names.ts';
import type { NodeDescription } from '../../../../../protocol/messages.ts';
import type { Progress } from '../../../../../protocol/history/progress.ts';
import { type Change, MARKS_SHOWN_MS, marksOf, nextChange, unlessLost } from './change.ts';
import type { Fact, Heard } from './fact.ts';
import { isForgotten, judge, type Mark, type NodeView, UNHEARD } from './node.ts';
import { NodeMap } from './node-map.ts';
import { type PushTimes, withPush } from './push-times.ts';
import { advance, deltaOf, emptySeries, record, type Series, withMemory } from './series.ts';
import { type Moment, momentOf, nodeMoment, withMoments } from './timeline.ts';

/** All that the console knows of the fleet. It changes only by {@link reduce}. */
export interface Fleet {
  readonly cookie: string;
  readonly now: number;
  /** Since when there is no connection to NATS; null: there is one. */
  readonly cutSince: number | null;
  /** When the controller was last heard; null: not since the console has started. */
  readonly controllerAt: number | null;
  readonly startedAt: number;
  readonly nodes: NodeMap<NodeView>;
  /** The newest head of each module. */
  readonly heads: ReadonlyMap<string, Head>;
  readonly results: ReadonlyMap<string, HeadResult>;
  readonly change: Change | null;
  readonly moments: readonly Moment[];
  /** The last pushes since the console has started, oldest first. */
  readonly pushes: readonly PushTimes[];
  readonly series: Series;
  readonly storage: { readonly bytes: number; readonly maxBytes: number } | null;
  /** Why the roster does not know the containers; null: it does, or was not heard yet. */
  readonly rosterProblem: string | null;
}

/** The controller sends a digest every {@link HEARTBEAT_INTERVAL}; one that is so late is missed (milliseconds). */
const CONTROLLER_TIMEOUT_MS = HEARTBEAT_INTERVAL + 700;

/** Failed calls are counted over so long (milliseconds). */
const ERRORS_MS = 60_000;

/** The nodes that are known at most: names cost whoever has the key of a node nothing. */
const MAX_NODES = 20_000;

export function emptyFleet(cookie: string, at: number): Fleet {
  return {
    cookie,
    now: at,
    cutSince: null,
    controllerAt: null,
    startedAt: at,
    nodes: NodeMap.empty(),
    heads: new Map(),
    results: new Map(),
    change: null,
    moments: [],
    pushes: [],
    series: emptySeries(at),
    storage: null,
    rosterProblem: null,
  };
}

/** Whether no controller answers for the fleet. */
export function isControllerGone({ controllerAt, cutSince, startedAt, now }: Fleet): boolean {
  return cutSince === null && now - (controllerAt ?? startedAt) > CONTROLLER_TIMEOUT_MS;
}

/** The fleet after one more fact. */
export function reduce(before: Fleet, fact: Fact): Fleet {
  const { at } = fact;
  const fleet = { ...before, now: at };
  switch (fact.type) {
    case 'heartbeat':
    case 'stalled':
      return heard(fleet, fact);
    case 'goodbye': {
      const { node } = fact.description;
      // It says so twice: when it takes no requests any more, and when it has given its last answer.
      const isKnown = (fleet.nodes.get(node)?.leftAt ?? null) !== null;
      const left = isKnown ? [] : [nodeMoment(node, 'node left', 'note', 'it said goodbye', at)];
      const moments = withMoments(fleet.moments, left);
      return withNode({ ...fleet, moments }, node, known => ({ ...known, description: fact.description, leftAt: at }));
    }
    case 'foreign':
      return withNode(fleet, fact.node, known => ({ ...known, foreign: fact.protocol, heardAt: at, leftAt: null }));
    case 'rejected': {
      const { node, fault, count } = fact.event;
      const detail = `${count === 1 ? 'a message' : `${count} messages`} that no trusted key signed (${fault})`;
      return { ...fleet, moments: withMoments(fleet.moments, [nodeMoment(node, 'rejected', 'warn', detail, at)]) };
    }
    case 'digest':
      return { ...fleet, controllerAt: at };
    case 'heads':
      return judgeAll({ ...fleet, heads: withNewer(fleet.heads, fact.heads) });
    case 'head-results':
      return { ...fleet, results: withNewer(fleet.results, fact.results) };
    case 'audit':
      return { ...fleet, moments: withMoments(fleet.moments, fact.entries.map(momentOf)) };
    case 'progress':
      return progressed(fleet, fact.progress, at);
    case 'roster':
      return rostered(fleet, fact);
    case 'storage':
      return { ...fleet, storage: { bytes: fact.bytes, maxBytes: fact.maxBytes } };
    case 'link':
      return linked(fleet, fact.isUp, at);
    case 'tick':
      return ticked(fleet);
  }
}

/** The records, with those of these that are newer. */
function withNewer<R extends { readonly module: string; readonly sequence: number }>(
  records: ReadonlyMap<string, R>,
  added: readonly R[],
): ReadonlyMap<string, R> {
  const newer = added.filter(({ module, sequence }) => sequence >= (records.get(module)?.sequence ?? 0));
  return newer.length === 0 ? records : new Map([...records, ...newer.map(each => [each.module, each] as const)]);
}

type Known = Omit<NodeView, 'state' | 'since' | 'why'>;

/** The fleet with one node changed; its state follows from what is known of it. */
function withNode(fleet: Fleet, name: string, change: (known: Known) => Known): Fleet {
  const known = fleet.nodes.get(name);
  if (known === undefined && fleet.nodes.size >= MAX_NODES) return fleet;
  const before = known ?? { ...UNHEARD, name, since: fleet.now };
  return { ...fleet, nodes: fleet.nodes.with(name, judged(fleet, { ...before, ...change(before) })) };
}

/** The same node with its state now; the same object when nothing has changed. */
function judged({ heads, now }: Pick<Fleet, 'heads' | 'now'>, node: NodeView): NodeView {
  const [state, why] = judge(node, heads, now);
  if (state === node.state && why === node.why) return node;
  return { ...node, state, why, since: state === node.state ? node.since : sinceOf(node, state, now) };
}

/** A quiet node is quiet since its last word. */
function sinceOf({ heardAt }: NodeView, state: NodeView['state'], now: number): number {
  return (state === 'late' || state === 'silent') && heardAt !== null ? heardAt : now;
}

function judgeAll(fleet: Fleet): Fleet {
  const nodes = fleet.nodes.map(node => judged(fleet, calmed(node, fleet)));
  return nodes === fleet.nodes ? fleet : { ...fleet, nodes };
}

/** A node without failures that are too old, and without the mark of a change that is over. */
function calmed(node: NodeView, { now, change }: Pick<Fleet, 'now' | 'change'>): NodeView {
  const [first] = node.failures;
  const isOver =
    node.mark !== null && (change === null || (change.result !== null && now - change.result.endedAt > MARKS_SHOWN_MS));
  const isOld = first !== undefined && now - first.at > ERRORS_MS;
  if (!isOver && !isOld) return node;
  return {
    ...node,
    mark: isOver ? null : node.mark,
    failures: isOld ? node.failures.filter(({ at }) => now - at <= ERRORS_MS) : node.failures,
  };
}

function heard(fleet: Fleet, { type, description, at }: Heard): Fleet {
  const { node } = description;
  const known = fleet.nodes.get(node);
  const before = known?.description ?? null;
  const delta = deltaOf(before, description);
  const next = withNode(fleet, node, view => ({
    ...view,
    description,
    heardAt: at,
    leftAt: null,
    foreign: null,
    container: view.container === 'gone' || view.container === 'exited' ? null : view.container,
    failures: delta.errors === 0 ? view.failures : [...view.failures.slice(-20), { at, count: delta.errors }],
  }));
  const moments = momentsOf(known, description, type, at);
  return {
    ...next,
    moments: withMoments(next.moments, moments),
    series: record(advance(next.series, at), delta, description.loopDelay),
  };
}

/** What a heartbeat tells that is worth a line: a start, a stall, a return. */
function momentsOf(
  known: NodeView | undefined,
  { node, startedAt, uptimeSeconds }: NonNullable<NodeView['description']>,
  type: string,
  at: number,
): Moment[] {
  if (type === 'stalled')
    return [nodeMoment(node, 'node blocked', 'bad', 'its event loop does not turn; the watchdog ends it', at)];
  const before = known?.description ?? null;
  const isNew = before === null ? uptimeSeconds < 30 : before.startedAt !== startedAt;
  if (isNew)
    return [
      nodeMoment(node, before === null ? 'node started' : 'node restarted', before === null ? 'ok' : 'warn', '', at),
    ];
  if (known?.state === 'silent') return [nodeMoment(node, 'node is back', 'ok', 'it was silent', at)];
  return [];
}

function meanMemory(nodes: Fleet['nodes']): number | null {
  let [sum, count] = [0, 0];
  for (const { description, leftAt } of nodes.values()) {
    if (description === null || leftAt !== null) continue;
    sum += description.memoryBytes;
    count += 1;
  }
  return count === 0 ? null : sum / count;
}

function progressed(fleet: Fleet, progress: Progress, at: number): Fleet {
  const change = nextChange(fleet.change, progress, at);
  if (change === null || change.id !== progress.change) return { ...fleet, change };
  const marks = marksOf(progress);
  const isStart = progress.step === 'started';
  const waiting: Mark = { change: progress.change, step: 'waiting' };
  const nodes = fleet.nodes.map((node, name) => {
    const mark = marks.get(name) ?? (isStart && node.leftAt === null ? waiting : isStart ? null : node.mark);
    if (mark === node.mark) return node;
    const description =
      mark?.step === 'loaded' ? withLoaded(node.description, progress, fleet.heads) : node.description;
    return judged(fleet, { ...node, mark, description });
  });
  return { ...fleet, change, nodes, pushes: withPush(fleet.pushes, change, progress, at) };
}

/** What a node will say that has loaded a change, before its next heartbeat. */
function withLoaded(
  description: NodeDescription | null,
  progress: Progress,
  heads: Fleet['heads'],
): NodeDescription | null {
  if (description === null || progress.step !== 'ended') return description;
  const modules = { ...description.modules };
  for (const { module, revision } of progress.modules) {
    if (revision === null) delete modules[module];
    else if (modules[module]?.revision !== revision)
      modules[module] = { revision, sequence: heads.get(module)?.sequence ?? 0, calls: 0, errors: 0, inFlight: 0 };
  }
  return { ...description, modules };
}

/** Joins the engine's containers with the nodes, by the ids that nodes say and by the names that follow from the containers'. */
function rostered(fleet: Fleet, { answer }: Extract<Fact, { type: 'roster' }>): Fleet {
  if (answer.status === 'unavailable') return { ...fleet, rosterProblem: answer.detail };
  const byId = new Map(
    [...fleet.nodes.values()].flatMap(node =>
      node.description === null ? [] : [[node.description.container, node.name] as const],
    ),
  );
  const states = new Map<string, string>();
  for (const { id, name, node, state } of answer.containers)
    states.set(byId.get(id) ?? node ?? nodeNameOf(name, ''), state);
  let nodes = fleet.nodes.map((node, name) => {
    const container = states.get(name) ?? (node.container === null ? null : 'gone');
    return container === node.container ? node : { ...node, container };
  });
  for (const [name, container] of states)
    if (container === 'running' && !nodes.has(name))
      nodes = nodes.with(name, { ...UNHEARD, name, since: fleet.now, container });
  return judgeAll({ ...fleet, nodes, rosterProblem: null });
}

/** After a cut, what was not heard meanwhile does not count as silence. */
function linked(fleet: Fleet, isUp: boolean, at: number): Fleet {
  if (!isUp) return { ...fleet, cutSince: fleet.cutSince ?? at };
  if (fleet.cutSince === null) return fleet;
  const missedMs = at - fleet.cutSince;
  const nodes = fleet.nodes.map(node =>
    node.heardAt === null ? node : { ...node, heardAt: Math.min(at, node.heardAt + missedMs) },
  );
  const controllerAt = fleet.controllerAt === null ? null : Math.min(at, fleet.controllerAt + missedMs);
  return { ...fleet, cutSince: null, controllerAt, startedAt: at, nodes };
}

function ticked(fleet: Fleet): Fleet {
  // Without a connection, no node is late: the console does not hear them.
  if (fleet.cutSince !== null) return fleet;
  const calm = judgeAll({
    ...fleet,
    change: unlessLost(fleet.change, fleet.now),
    series: withMemory(advance(fleet.series, fleet.now), meanMemory(fleet.nodes)),
  });
  const nodes = calm.nodes.map(node => (isForgotten(node, fleet.now) ? null : node));
  return nodes === calm.nodes ? calm : { ...calm, nodes };
}
