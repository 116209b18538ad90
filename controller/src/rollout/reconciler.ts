import { encode } from '../../../protocol/codec.ts';
import type { Head } from '../../../protocol/head.ts';
import type { HeadResult } from '../../../protocol/history/head-result.ts';
import { HEARTBEAT_INTERVAL } from '../../../protocol/limits.ts';
import type { DigestRequest } from '../../../protocol/messages.ts';
import { PROTOCOL } from '../../../protocol/version.ts';
import type { Logger } from '../../../shared/logger.ts';
import type { CanaryMonitor } from './canary-monitor.ts';
import type { RolloutContext } from './context.ts';
import { lostHeadsText } from './lost-heads.ts';

/** A head without a result is another controller's work in progress for this long (milliseconds). */
const UNFINISHED_AFTER_MS = 15_000;

/** When this process first saw a push without a result, by `performance.now`. */
type FirstSeen = Map<string, number>;

interface ReconcilerDeps extends RolloutContext {
  readonly monitor: Pick<CanaryMonitor, 'observe'>;
  /** The interval between the heartbeats of each node (milliseconds). */
  readonly heartbeatInterval: () => number;
  /** Awaits the commit of heads that some controller left unfinished. */
  readonly finish: (heads: readonly Head[]) => Promise<unknown>;
  /** Writes down that nodes which were silent have followed. */
  readonly writeLateResults: (heads: readonly Head[], results: readonly HeadResult[]) => Promise<void>;
  /** Acts on what the watchdogs of nodes ended. */
  readonly actOnFindings: (heads: readonly Head[], results: readonly HeadResult[]) => Promise<void>;
  readonly log: Logger;
}

export interface Reconciler extends Disposable {
  /** Finishes at once what was left unfinished, then reconciles until it is disposed. */
  readonly start: () => Promise<void>;
  /** Does now what is done every 2 seconds. */
  readonly reconcile: () => Promise<void>;
}

/**
 * Keeps the fleet on its heads. Every 2 seconds it sends every node the newest sequence of each module, so that a node which
 * missed one reads the stream; it finishes what a controller that died left unfinished; and it rolls back what ends nodes.
 */
export function createReconciler(deps: ReconcilerDeps): Reconciler {
  let timer: NodeJS.Timeout | undefined;
  let isFailing = false;
  let isRunning = false;
  let saidLost: string | null = null;
  const warnOfLost = (): void => {
    const text = deps.store.newerText() ?? lostHeadsText(deps.store.lostHeads());
    if (text !== null && text !== saidLost) deps.log.warn({}, text);
    saidLost = text;
  };
  let areKeysFailing = false;
  /** Nothing waits for it: it can fail where heads can be kept, in a full stream for example, and can take long. */
  const writeKeyLists = async (): Promise<void> => {
    try {
      const wasLost = await deps.store.writeKeyLists();
      if (wasLost) deps.log.warn({}, 'the newest list of keys was lost or overwritten, and is written again');
      areKeysFailing = false;
    } catch (error) {
      if (!areKeysFailing) deps.log.warn({ err: error }, 'the list of keys could not be written; trying again');
      areKeysFailing = true;
    }
  };
  const firstSeen: FirstSeen = new Map();
  const reconcile = async (unfinishedAfterMs = UNFINISHED_AFTER_MS): Promise<void> => {
    if (isRunning) return;
    isRunning = true;
    try {
      void writeKeyLists();
      await reconcileOnce(deps, firstSeen, unfinishedAfterMs);
      warnOfLost();
      isFailing = false;
    } catch (error) {
      if (!isFailing) deps.log.warn({ err: error }, 'the heads could not be read; trying again');
      isFailing = true;
      // NATS may have lost its disk, and the stream with it.
      await deps.store.ensureStream().catch(() => undefined);
    } finally {
      isRunning = false;
    }
  };
  return {
    start: async () => {
      await reconcile(0);
      // It is due from now on, also if who has to follow is not known yet.
      for (const push of firstSeen.keys()) firstSeen.set(push, -Infinity);
      timer = setInterval(() => void reconcile(), HEARTBEAT_INTERVAL);
    },
    reconcile: () => reconcile(),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

async function reconcileOnce(deps: ReconcilerDeps, firstSeen: FirstSeen, unfinishedAfterMs: number): Promise<void> {
  const { store, nats, subjects, monitor, heartbeatInterval, finish, writeLateResults, actOnFindings, log } = deps;
  const modules = await store.restoreHeads();
  if (modules.length > 0) log.warn({ modules }, 'the newest heads were overwritten, and are written again');
  const lost = new Set(store.lostHeads().map(({ head }) => head.module));
  const heads = await store.heads();
  monitor.observe(heads);
  const results = await store.headResults();
  const digest: DigestRequest = {
    protocol: PROTOCOL,
    keys: store.keyList(),
    heads: Object.fromEntries(heads.map(({ module, sequence }) => [module, sequence])),
    heartbeatInterval: heartbeatInterval(),
    revertible: revertibleModules(heads, results),
  };
  nats.publish(subjects.all('digest'), encode(digest));
  // What a later release has written is not this one's to finish.
  if (store.newerText() !== null) return;
  // A node without a lost head's bundle refuses the head, and the nodes that run it would be rolled back.
  const there = heads.filter(({ module }) => !lost.has(module));
  const unfinished = unfinishedHeads(there, results, firstSeen, performance.now(), unfinishedAfterMs);
  for (const push of new Set(unfinished.map(head => head.push))) {
    log.warn({ push }, 'a push was left unfinished; finishing it');
    await finish(there.filter(head => head.push === push));
  }
  await writeLateResults(there, results);
  await actOnFindings(there, results);
}

/** The modules whose newest head can be reverted: its commit is not over, or a node was silent and can refuse it later. */
export function revertibleModules(heads: readonly Head[], results: readonly HeadResult[]): string[] {
  const finished = results.filter(({ verdict, silent }) => verdict === 'committed' && silent === 0);
  const sequences = new Map(finished.map(({ module, sequence }) => [module, sequence]));
  return heads.filter(({ module, sequence }) => sequences.get(module) !== sequence).map(({ module }) => module);
}

/**
 * The newest heads that have been without a result for so long, by the clock of this process (milliseconds).
 *
 * @param firstSeen is updated.
 */
export function unfinishedHeads(
  heads: readonly Head[],
  results: readonly HeadResult[],
  firstSeen: FirstSeen,
  now: number,
  forMs: number,
): Head[] {
  const finished = new Map(results.map(({ module, sequence }) => [module, sequence]));
  const unfinished = heads.filter(({ module, sequence }) => finished.get(module) !== sequence);
  const seen = new Map(unfinished.map(({ push }) => [push, firstSeen.get(push) ?? now]));
  firstSeen.clear();
  for (const [push, at] of seen) firstSeen.set(push, at);
  return unfinished.filter(({ push }) => now - (seen.get(push) ?? now) >= forMs);
}
