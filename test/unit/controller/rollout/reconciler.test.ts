import { describe, expect, it } from 'vitest';

import { createReconciler, revertibleModules, unfinishedHeads } from '../../../../controller/src/rollout/reconciler.ts';
import type { StreamStore } from '../../../../controller/src/store/stream-store.ts';
import type { HeadResult } from '../../../../protocol/history/head-result.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { Network } from '../../../simulation/network.ts';
import { storeOf, Stream } from '../../../simulation/stream.ts';
import { headOf, recordingLog } from '../../fixtures.ts';

const revision = 'f'.repeat(64);
const resultOf = (module: string, sequence: number): HeadResult => ({
  module,
  sequence,
  verdict: 'committed',
  loaded: 3,
  refused: 0,
  silent: 0,
});

describe('unfinishedHeads', () => {
  const head = headOf('demo', revision, 5);
  const FOR_MS = 15_000;
  const seen = () => new Map([[head.push, 1_000]]);
  const later = 1_000 + FOR_MS;

  it.each([
    ['has no result', [], later, true],
    ['has the result of the head before it', [resultOf('demo', 4)], later, true],
    ["has another module's result", [resultOf('other', 5)], later, true],
    ['has its result', [resultOf('demo', 5)], later, false],
    ['was first seen just before: its controller may be at work', [], later - 1, false],
  ])('of a head that %s', (_, results, now, unfinished) => {
    expect(unfinishedHeads([head], results, seen(), now, FOR_MS)).toEqual(unfinished ? [head] : []);
  });

  it('are all without a result', () => {
    const other = headOf('other', revision, 9);
    expect(unfinishedHeads([head, other], [resultOf('demo', 5)], new Map(), 0, 0)).toEqual([other]);
  });

  it.each([
    ['an hour ahead', 3_600_000],
    ['an hour behind', -3_600_000],
  ])('of a controller whose clock is %s are given the same time', (_, offset) => {
    const theirs = { ...head, at: Date.now() + offset };
    const firstSeen = new Map<string, number>();
    expect(unfinishedHeads([theirs], [], firstSeen, 50, FOR_MS)).toEqual([]);
    expect(unfinishedHeads([theirs], [], firstSeen, 50 + FOR_MS - 1, FOR_MS)).toEqual([]);
    expect(unfinishedHeads([theirs], [], firstSeen, 50 + FOR_MS, FOR_MS)).toEqual([theirs]);
    expect(unfinishedHeads([theirs], [resultOf('demo', 5)], firstSeen, 50 + FOR_MS, FOR_MS)).toEqual([]);
    expect(firstSeen.size).toBe(0);
  });
});

describe('revertibleModules', () => {
  const heads = [headOf('demo', revision, 5)];

  it.each<[string, HeadResult[], boolean]>([
    ['has no result', [], true],
    ['has the result of the head before it', [resultOf('demo', 4)], true],
    ['has its result', [resultOf('demo', 5)], false],
    ['was refused, and is about to be reverted', [{ ...resultOf('demo', 5), verdict: 'reverted' }], true],
    ['has its result, but a node was silent and can refuse later', [{ ...resultOf('demo', 5), silent: 1 }], true],
  ])('of a head that %s', (_, results, revertible) => {
    expect(revertibleModules(heads, results)).toEqual(revertible ? ['demo'] : []);
  });
});

describe('a reconciler', () => {
  const nothing = async (): Promise<void> => undefined;

  /** A reconciler of a simulated stream, and the modules of each push that it finishes. */
  function start(stream: Stream, lostHeads: StreamStore['lostHeads'] = () => []) {
    const connection = new Network().connect(null);
    const subjects = subjectsOf('dino');
    const writer = { deed: async <T>(deed: () => T) => deed(), onRead: () => undefined, onWrite: () => undefined };
    const finished: string[][] = [];
    const reconciler = createReconciler({
      nats: connection.nats,
      subjects,
      store: { ...storeOf(stream, connection, subjects, writer), lostHeads },
      audit: { write: nothing },
      packagesTimeoutMs: 0,
      monitor: { observe: () => undefined },
      heartbeatInterval: () => 2_000,
      finish: async heads => void finished.push(heads.map(({ module }) => module)),
      writeLateResults: nothing,
      actOnFindings: nothing,
      log: recordingLog(),
    });
    return { reconciler, finished };
  }

  const streamWith = (...modules: readonly string[]): Stream => {
    const stream = new Stream();
    for (const module of modules) stream.writeHeads([{ head: headOf(module, revision, 5), position: 0 }]);
    return stream;
  };

  it('finishes at its start what was left unfinished, and again until it has a result', async () => {
    const stream = streamWith('demo');
    const { reconciler, finished } = start(stream);
    using _ = reconciler;
    await reconciler.start();
    await reconciler.reconcile();
    expect(finished).toEqual([['demo'], ['demo']]);
    stream.writeHeadResult(resultOf('demo', 5));
    // Another controller may be at work on this one.
    stream.writeHeads([{ head: headOf('other', revision, 6), position: 0 }]);
    await reconciler.reconcile();
    expect(finished).toHaveLength(2);
  });

  it('does not finish a push whose head the stream has lost: that would revert the nodes', async () => {
    const stream = streamWith('aged', 'demo');
    const { reconciler, finished } = start(stream, () => [{ head: headOf('aged', revision, 9), kept: null }]);
    using _ = reconciler;
    await reconciler.start();
    await reconciler.reconcile();
    expect(finished.flat()).not.toContain('aged');
  });
});
