import { AssertionError } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';

import type { Head } from '../../protocol/head.ts';
import { HEARTBEAT_INTERVAL } from '../../protocol/limits.ts';
import type { Cluster } from './cluster.ts';
import type { NodeProcess } from './node-process.ts';
import { definitely } from './source.ts';

/** The longest time until a node tries again what it refuses (milliseconds). */
const MAX_RETRY_DELAY_MS = 60_000;

/** The longest time until it tries again what it refuses because too many versions drain (milliseconds). */
const FULL_RETRY_DELAY_MS = 2_000;

/** What a node remembers, so that it can be seen not to go back. */
interface Memory {
  seen: number;
  running: number;
  data: object | null;
  /** The head that cleared the data, and how often the module was loaded before that: of all loads, and before the data. */
  stateSince: number;
  loads: number;
  loadsBefore: number;
}

const NOTHING: Memory = { seen: 0, running: 0, data: null, stateSince: 0, loads: 0, loadsBefore: 0 };

/** What holds whenever nothing moves, for a cluster of these modules. */
export function lawsOf(modules: readonly string[]): (cluster: Cluster) => void {
  const memories = new WeakMap<NodeProcess, Map<string, Memory>>();
  return cluster => {
    law(cluster.faults.length === 0, cluster.faults.join('; '));
    law(cluster.stream.missing().length === 0, 'the bundles that kept heads name are there');
    for (const call of cluster.calls) law(call.fault() === null, String(call.fault()));
    for (const node of cluster.nodes.values()) {
      for (const fault of [...node.model.faults, ...node.model.compare(node.describe())])
        law(false, `${node.name}: ${fault}`);
      for (const module of modules) isRetried(cluster, node, module);
      const memory = memories.get(node) ?? new Map<string, Memory>();
      memories.set(node, memory);
      for (const module of modules) {
        runsWhatItsHeadSays(cluster, node, module);
        memory.set(module, goesForward(cluster, node, module, memory.get(module) ?? NOTHING));
      }
      appliesTogether(cluster, node);
    }
  };
}

/** Every link is well again, the next controller starts, and every node hears a digest; then all else arrives late. */
export async function converge(cluster: Cluster): Promise<void> {
  const { network } = cluster;
  for (const name of cluster.nodes.keys()) network.setLink(name, 'open');
  for (const { what, arrive } of network.held) if (what === 'reading') arrive();
  await cluster.runToIdle();
  const unfinished = unfinishedHeads(cluster);
  await cluster.startReconciler();
  for (const head of unfinished) isJudged(cluster, head);
  await cluster.tick(HEARTBEAT_INTERVAL);
  hasConverged(cluster);
  for (const { arrive } of network.held.toReversed()) arrive();
  await cluster.runToIdle();
  for (const call of cluster.calls) if (!call.isPurged) await cluster.endCall(call);
  await cluster.pass(MAX_RETRY_DELAY_MS);
  hasConverged(cluster);
  for (const node of cluster.nodes.values()) {
    lacksNothingThatItCanLoad(cluster, node);
    law(node.describe().draining.length === 0, `nothing drains on ${node.name} when no call runs`);
  }
}

/** A node that has not applied its heads could not load them now, neither those of one push nor of several together. */
export function lacksNothingThatItCanLoad(cluster: Cluster, node: NodeProcess): void {
  const heads = cluster.stream.heads();
  const lacking = [...new Set(heads.map(head => head.push))]
    .map(push => heads.filter(head => head.push === push))
    .map(together => new Map(together.map(head => [head.module, cluster.model.desired(head, node.name)])))
    .filter(desired => ![...desired].every(([module, revision]) => cluster.runsByModel(node, module, revision)));
  for (const some of subsets(lacking)) {
    const set = new Map(some.flatMap(desired => [...desired]));
    const names = [...set.keys()].join(' and ');
    const isUnable = cluster.wouldThrow(node, set) || cluster.isFull(node, set);
    law(isUnable, `${node.name} runs ${names} as it should, or can't load it`);
  }
}

/** All subsets but the empty one. */
function subsets<T>(all: readonly T[]): T[][] {
  const masks = Array.from({ length: 2 ** all.length - 1 }, (_, index) => index + 1);
  return masks.map(mask => all.filter((_, index) => (mask & (1 << index)) !== 0));
}

/**
 * What a node could not load is tried again when a module is loaded that it imports, and after a time. (What it has to read
 * again can be late.)
 */
function isRetried(cluster: Cluster, node: NodeProcess, module: string): void {
  const { seen, refusal, triedAt, triedAtMs } = node.model.get(module);
  if (refusal !== 'on_load_failure' && refusal !== 'not_purged') return;
  const head = definitely(headAt(cluster, module, seen));
  const together = cluster.stream.everyHead.filter(
    each => each.push === head.push && node.model.get(each.module).seen === each.sequence,
  );
  const sources = together.flatMap(each => cluster.sourceOf(cluster.model.desired(each, node.name)) ?? []);
  if (!sources.every(({ bundle }) => node.isPrepared(bundle.module, bundle.revision))) return;
  const late = Date.now() - triedAtMs;
  const limit = refusal === 'not_purged' ? FULL_RETRY_DELAY_MS : MAX_RETRY_DELAY_MS;
  law(late <= limit, `${node.name} tries ${module} again, which it refused ${late} ms before`);
  const missed = sources.flatMap(({ imports }) => imports).filter(each => node.model.get(each).loadedAt > triedAt);
  law(missed.length === 0, `${node.name} tries ${module} again, as ${missed.join(', ')} was loaded`);
}

function hasConverged(cluster: Cluster): void {
  const heads = cluster.stream.heads();
  law(unfinishedHeads(cluster).length === 0, 'no head is left unfinished');
  for (const head of heads) {
    for (const node of cluster.nodes.values()) {
      law(node.headSeen(head.module) === head.sequence, `${node.name} has seen the head of ${head.module}`);
    }
    const refused = cluster.refusals.filter(
      ({ node, hearer, heads: told }) =>
        cluster.nodes.get(node.name) === node &&
        !cluster.stopped.some(({ connection }) => connection === hearer) &&
        told.some(({ module, sequence }) => module === head.module && sequence === head.sequence),
    );
    const stands = refused.length > 0 && cluster.model.newest(head.module)?.isBack === false;
    law(!stands, `a head of ${head.module} that a node said it can't load does not stand`);
  }
}

/** What a controller finished while every node could answer is applied by all of them, or does not stand. */
function isJudged(cluster: Cluster, head: Head): void {
  const newest = cluster.model.newest(head.module);
  if (newest?.sequence !== head.sequence || newest.isBack) return;
  const states = [...cluster.nodes.values()].map(node => stateOf(cluster, node, head));
  law(
    states.every(state => state === 'applied' || state === null),
    `every node applies a finished head of ${head.module}, or none`,
  );
}

/** The newest heads without a result. */
export function unfinishedHeads({ stream }: Cluster): Head[] {
  const headResults = stream.headResults();
  return stream
    .heads()
    .filter(head => !headResults.some(({ module, sequence }) => module === head.module && sequence === head.sequence));
}

/** Throws when a law is broken. (Vitest's expect takes longer than all else here together.) */
function law(holds: boolean, message: string): void {
  if (!holds) throw new AssertionError({ message: `broken: ${message}` });
}

function runsWhatItsHeadSays(cluster: Cluster, node: NodeProcess, module: string): void {
  const running = node.running(module);
  const seen = headAt(cluster, module, node.headSeen(module));
  if (running !== null) {
    const applied = definitely(headAt(cluster, module, running.sequence));
    const desired = cluster.model.desired(applied, node.name);
    law(running.revision === desired, `${node.name} runs of ${module} what the head says by which it runs`);
  }
  if (seen === null || running?.sequence === seen.sequence) return;
  const desired = cluster.model.desired(seen, node.name);
  if (desired === (running?.revision ?? null)) return;
  if (node.model.get(module).refusal === 'not_purged') return;
  const could = cluster.stream.everyHead.filter(({ push }) => push === seen.push);
  const isRefused = could.some(head => {
    const revision = cluster.model.desired(head, node.name);
    return revision !== null && cluster.canThrow(revision, node.name);
  });
  law(isRefused, `${node.name} runs what the head of ${module} asks of it, or can't load that`);
}

function goesForward(cluster: Cluster, node: NodeProcess, module: string, before: Memory): Memory {
  const running = node.running(module);
  const now = { ...before, seen: node.headSeen(module), running: running?.sequence ?? before.running };
  law(now.seen >= before.seen, `${node.name} remembers the newest head of ${module}`);
  law(now.running >= before.running, `${node.name} applies no older head of ${module} after a newer one`);
  if (running === null) return now;
  const { data } = running;
  const { stateSince } = definitely(headAt(cluster, module, running.sequence));
  const isKept = before.stateSince === stateSince;
  law(
    before.data === null || isKept === (before.data === data),
    `the data of ${module} on ${node.name} outlive its versions, and no clearing`,
  );
  const loads = node.loads(module);
  const loadsBefore = isKept ? before.loadsBefore : loads - Number(data['loads']);
  law(loadsBefore >= (isKept ? 0 : before.loads), `the data of ${module} on ${node.name} begin after their clearing`);
  law(isDeepStrictEqual(data, { loads: loads - loadsBefore }), `the data of ${module} on ${node.name} are not spoilt`);
  return { ...now, data, stateSince, loads, loadsBefore };
}

/** Heads of one push, none of them replaced, are applied by a node together, refused together, or not known yet. */
function appliesTogether(cluster: Cluster, node: NodeProcess): void {
  const newest = cluster.stream.heads();
  for (const push of new Set(newest.map(head => head.push))) {
    const heads = newest.filter(head => head.push === push);
    if (heads.length < cluster.stream.everyHead.filter(head => head.push === push).length) continue;
    const states = heads.map(head => stateOf(cluster, node, head)).filter(state => state !== null);
    law(new Set(states).size <= 1, `${node.name} applies heads of one push as one, which are ${states.join(', ')}`);
  }
}

/** How far a node is with a head; null where that can't be told apart. */
function stateOf(cluster: Cluster, node: NodeProcess, { module, sequence, ...head }: Head) {
  const running = node.running(module);
  if (node.headSeen(module) < sequence) return 'unseen';
  if (running?.sequence === sequence) return 'applied';
  return running === null && cluster.model.desired(head, node.name) === null ? null : 'refused';
}

function headAt(cluster: Cluster, module: string, sequence: number): Head | null {
  const found = cluster.stream.everyHead.find(head => head.module === module && head.sequence === sequence);
  return found ?? null;
}
