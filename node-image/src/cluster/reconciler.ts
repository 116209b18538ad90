import type { Bundle } from '../../../protocol/bundle.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { desiredRevision, type Head, isAutomatic, isAutomaticRollback } from '../../../protocol/head.ts';
import { HEARTBEAT_INTERVAL } from '../../../protocol/limits.ts';
import type { DigestRequest, NodeDescription } from '../../../protocol/messages.ts';
import type { Assignment } from '../modules/heads.ts';
import type { CodeServer } from '../modules/code-server.ts';
import { RejectedError } from '../admission/verifier.ts';
import type { PrepareBundle } from './prepare-bundle.ts';
import { type LoadResult, refused } from '../modules/load-result.ts';
import { loadOrder } from '../../../shared/load-order.ts';
import type { Logger } from '../../../shared/logger.ts';
import { orNullAfter } from '../../../shared/timeout.ts';
import { NoStreamError } from './no-stream.ts';
import { LEFT_OUT, type LeftOut, NOTHING_LEFT_OUT } from './left-out.ts';
import { createRetries } from './retries.ts';

/**
 * A node that is behind waits a random time before it reads the stream, at most this share of the heartbeat interval: half
 * a second, and more in a large fleet, whose heartbeats are rarer.
 */
const JITTER_SHARE = 1 / 4;

/** The delays between the reads of heads that lack what a digest has named (milliseconds): a replica of the stream is behind. */
const BEHIND_DELAYS_MS = [50, 150, 400] as const;

/** How long the answer to a commit waits for a module that this node can be about to load (milliseconds). */
const CATCH_UP_TIMEOUT_MS = 2_000;

/** How many bundles are read at the same time: while some are on their way, others are prepared. They are in memory together. */
const MAX_READS = 4;

/** How long heads are applied in one turn of the event loop (milliseconds). */
const MAX_TURN_MS = 50;

/** The result of heads that are not applied because the node stops. */
const STOPPED = refused('nofile', 'the node stops');

/** What a digest names, and a node reads: heads, and the list of keys. */
type Announced = Pick<DigestRequest, 'heads' | 'keys'>;

/** The records that a node reads from the cluster's stream. */
export interface RecordSource {
  /** The newest head of every module. @throws NoStreamError when there is no stream yet. */
  heads(): Promise<readonly Head[]>;
  /** The number of the list of keys that this node follows. Heads are read with the newest list. Default: there are no lists. */
  keyList?(): number;
  /** A bundle by its revision; null when the stream does not have it. */
  bundle(module: string, revision: string): Promise<Bundle | null>;
}

export type Reconciler = ReturnType<typeof createReconciler>;

/**
 * Brings a node to the heads in the stream, even if it missed messages, and tries again what it refused.
 *
 * @param leftOut the heads that the node does not load, because it would restart.
 * @param prepare prepares a bundle; by default, one without packages.
 */
export function createReconciler(
  node: string,
  codeServer: CodeServer,
  records: RecordSource,
  log: Logger,
  leftOut: LeftOut = NOTHING_LEFT_OUT,
  prepare: PrepareBundle = bundle => codeServer.prepare(bundle),
) {
  let reading: Promise<void> | null = null;
  /** Whether the stream was read since the start. */
  let wasRead = false;
  /** The heads of the stream are read and applied now; null when they are not. */
  let catchingUp: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  /** The sequences of the last digest, and those that the stream did not show when it was read again and again. */
  let announced: Announced = { heads: {} };
  let vain: Announced = { heads: {} };

  const fetch = async (module: string, revision: string): Promise<LoadResult> => {
    try {
      const bundle = await records.bundle(module, revision);
      if (stopped) return STOPPED;
      if (bundle !== null) return await prepare(bundle);
      return refused('nofile', 'the stream does not have this bundle');
    } catch (error) {
      if (error instanceof DecodeError) return refused('badfile', error.message);
      // A valid bundle can replace it.
      if (error instanceof RejectedError) return refused('nofile', error.message);
      throw error;
    }
  };

  const assignmentOf = (head: Head): Assignment => ({
    module: head.module,
    revision: desiredRevision(head, node),
    sequence: head.sequence,
    stateSince: head.stateSince,
    force: head.force,
    makeRoom: head.makeRoom,
    // A canary has run for long: its data is not what it was before.
    revert: isAutomaticRollback(head) && head.cause !== 'canary',
    automatic: isAutomatic(head),
  });

  /**
   * Prepares what is missing, then loads. Prepared revisions are loaded before this returns a promise, unless calls hold up a
   * change of data.
   */
  const prepareAnd = async (
    load: (assignments: readonly Assignment[]) => LoadResult,
    heads: readonly Head[],
  ): Promise<LoadResult> => {
    const assignments = heads.map(assignmentOf);
    for (const { module, revision } of assignments) {
      if (revision === null || codeServer.isPrepared(module, revision)) continue;
      const fetched = await fetch(module, revision);
      if (fetched.status === 'refused') return stopped ? fetched : codeServer.refuse(assignments, fetched);
    }
    return codeServer.suspensions.whenQuiet(assignments, () => (stopped ? STOPPED : load(assignments)));
  };
  const commit = (heads: readonly Head[]) => prepareAnd(each => codeServer.commit(each), heads);
  const retry = (heads: readonly Head[]) => prepareAnd(each => codeServer.retry(each), heads);
  /**
   * Has refused heads tried again. This happens in the turn of the refusal, before anything else can be loaded. Returns what has
   * become of them: with heads that were refused before, they can complete a circle.
   */
  const retryLater = (heads: readonly Head[], result: LoadResult): LoadResult => {
    if (result.status === 'ok' || heads.some(leftOut.has)) return result;
    retries.add(heads, result);
    return heads.some(isRefused) ? result : codeServer.commit(heads.map(assignmentOf));
  };
  const commitOrRetry = (heads: readonly Head[]) =>
    prepareAnd(each => retryLater(heads, codeServer.commit(each)), heads);

  const importsOf = (head: Head): readonly string[] => {
    const revision = desiredRevision(head, node);
    return revision === null ? [] : codeServer.importsOf(head.module, revision);
  };
  const isRefused = (head: Head): boolean => codeServer.isRefused(head);
  const retries = createRetries({ retry, isRefused, importsOf, log });
  codeServer.onChanged(retries.onChanged);

  /**
   * Applies heads that were written together. Prepared revisions are activated before this returns a promise. Null when the
   * node stops: it will apply them when it starts again, so it must not refuse them for the fleet.
   */
  const apply = async (heads: readonly Head[]): Promise<LoadResult | null> => {
    const result = await commitOrRetry(heads);
    if (result.status === 'ok' || heads.some(leftOut.has)) return result;
    if (stopped) return null;
    // What it missed came in the meantime.
    if (!heads.some(isRefused)) return codeServer.commit(heads.map(assignmentOf));
    const retryState = retries.add(heads, result);
    if (retryState !== null) {
      log.warn(
        { heads: heads.map(labelOf), outcome: result, ...retryState },
        'refused; trying again unless it is rolled back',
      );
    }
    const isMissing = (module: string): boolean => codeServer.current(module) === null;
    if (retryState === null || catchingUp === null || !heads.flatMap(importsOf).some(isMissing)) return result;
    // What is missing can come with the heads that this node has not applied yet.
    await orNullAfter(CATCH_UP_TIMEOUT_MS, catchingUp);
    return codeServer.commit(heads.map(assignmentOf));
  };

  /** Applies the heads of a push that is in the stream. */
  const catchUp = async (heads: readonly Head[]): Promise<void> => {
    const again = () => prepareAnd(each => retryLater(heads, codeServer.retry(each)), heads);
    const result = await (heads.some(isRefused) ? again() : commitOrRetry(heads));
    if (stopped) return;
    const fields = { heads: heads.map(labelOf) };
    if (result.status === 'ok') return log.info(fields, 'caught up with the stream');
    log.error({ ...fields, outcome: result, ...retries.add(heads, result) }, 'could not catch up with the stream');
  };

  /** Prepares what heads ask for, some at a time. Returns an error for each push of which a bundle could not be read. */
  const prepareAll = async (heads: readonly Head[]): Promise<ReadonlyMap<string, unknown>> => {
    const errors = new Map<string, unknown>();
    const rest = heads.values();
    const worker = async (): Promise<void> => {
      for (const head of rest) {
        const { module, revision } = assignmentOf(head);
        if (revision === null || stopped || errors.has(head.push) || codeServer.isPrepared(module, revision)) continue;
        // A refusal is seen again when the push is applied.
        await fetch(module, revision).catch((error: unknown) => errors.set(head.push, error));
      }
    };
    await Promise.all(Array.from({ length: MAX_READS }, worker));
    return errors;
  };

  /**
   * Applies pushes in the order of their imports. Pushes that import each other in a circle are applied together. If that is
   * refused, each of them is applied alone.
   */
  const catchUpInOrder = async (pushes: readonly (readonly Head[])[]): Promise<void> => {
    const groups = loadOrder(pushes, heads => ({
      modules: heads.map(({ module }) => module),
      imports: heads.flatMap(importsOf),
    }));
    let turnStartedAt = performance.now();
    for (const group of groups) {
      if (performance.now() - turnStartedAt > MAX_TURN_MS) {
        await new Promise(resolve => setTimeout(resolve));
        turnStartedAt = performance.now();
      }
      const together = group.flat();
      if (group.length > 1 && (await commit(together)).status === 'ok') {
        log.info({ heads: together.map(labelOf) }, 'caught up with the stream');
        continue;
      }
      for (const heads of group) if (!stopped) await catchUp(heads);
    }
  };

  /** The modules whose heads the last digest has named, and neither this node has seen nor these heads are. */
  const lackingIn = (heads: readonly Head[]): string[] => {
    const read = new Map(heads.map(({ module, sequence }) => [module, sequence]));
    const isLacking = ([module, sequence]: readonly [string, number]): boolean =>
      sequence > Math.max(codeServer.headSeen(module), read.get(module) ?? 0, vain.heads[module] ?? 0);
    return Object.entries(announced.heads).flatMap(entry => (isLacking(entry) ? [entry[0]] : []));
  };

  /** Whether a digest names a newer list of keys than this node has, which the stream did not lack when it was read again and again. */
  const lacksKeys = ({ keys = 0 }: Announced): boolean =>
    records.keyList !== undefined && keys > records.keyList() && keys !== vain.keys;

  /** The heads in the stream, at least as new as the last digest if the stream has these. */
  const newestHeads = async (): Promise<readonly Head[]> => {
    let heads = await records.heads();
    for (const delayMs of BEHIND_DELAYS_MS) {
      if (stopped || (lackingIn(heads).length === 0 && !lacksKeys(announced))) return heads;
      await new Promise(resolve => setTimeout(resolve, delayMs));
      heads = await records.heads();
    }
    // One that this node can't read, or that is not signed, is not waited for at each digest.
    const missed = Object.fromEntries(lackingIn(heads).map(module => [module, announced.heads[module] ?? 0]));
    vain = { heads: { ...vain.heads, ...missed }, ...(lacksKeys(announced) ? { keys: announced.keys } : {}) };
    return heads;
  };

  const readOnce = async (): Promise<void> => {
    try {
      const heads = await newestHeads();
      wasRead = true;
      leftOut.decide(heads);
      codeServer.refuse(heads.filter(leftOut.has), LEFT_OUT);
      const unseen = heads.filter(head => head.sequence > codeServer.headSeen(head.module));
      // The code of a module says what it imports.
      const errors = await prepareAll(unseen);
      const pushes = [...new Set(unseen.map(({ push }) => push))].filter(push => !errors.has(push));
      await catchUpInOrder(pushes.map(push => unseen.filter(head => head.push === push)));
      const [error] = errors.values();
      if (error !== undefined) throw error;
    } catch (error) {
      if (stopped) return;
      // In a new cluster, a node can be ready before the controller.
      if (error instanceof NoStreamError && !wasRead)
        log.info({}, 'there is no stream yet; it is read when the controller has made it');
      else log.warn({ err: error }, 'the stream could not be read; trying again at the next digest');
    }
  };

  /** Applies every unseen head in the stream. Never rejects: after an error the stream is read again at the next digest. */
  const readHeads = async (): Promise<void> => {
    const own = readOnce();
    catchingUp = own;
    await own;
    if (catchingUp === own) catchingUp = null;
  };

  /** Drops data that no revert needs. Reads the stream after a random time when a digest has a head that this node has not seen. */
  const compare = async (digest: DigestRequest): Promise<void> => {
    codeServer.dropUnneededData(digest);
    announced = digest;
    const behind =
      lacksKeys(digest) ||
      Object.entries(digest.heads).some(([module, sequence]) => sequence > codeServer.headSeen(module));
    if (!behind || reading !== null || stopped) return;
    const maxJitterMs = JITTER_SHARE * (digest.heartbeatInterval ?? HEARTBEAT_INTERVAL);
    reading = new Promise<void>(resolve => (timer = setTimeout(resolve, Math.random() * maxJitterMs)))
      .then(readHeads)
      .finally(() => (reading = null));
    await reading;
  };

  /** Reads the stream for the first time. Resolves when the node has applied heads that are at least as new as the last digest. */
  const start = async (): Promise<void> => {
    await readHeads();
    for (let next = reading; next !== null; next = reading) await next;
  };

  /** The modules whose newest head this node refused, why, and when it tries again. */
  const refusals = (): NodeDescription['refusals'] => {
    const all = Object.entries(codeServer.refusals());
    return Object.fromEntries(
      all.map(([module, refusal]) => [module, { ...refusal, ...retries.of(module, refusal.sequence) }]),
    );
  };

  /** Ends the reconciler: nothing is read or applied any more. */
  const dispose = (): void => {
    stopped = true;
    clearTimeout(timer);
    retries[Symbol.dispose]();
  };
  return { apply, compare, readHeads, start, refusals, [Symbol.dispose]: dispose };
}

/** What a log line says of a head. */
function labelOf({ module, revision, sequence }: Head) {
  return { module, revision, sequence };
}
