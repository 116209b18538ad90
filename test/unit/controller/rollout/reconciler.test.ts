import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Reconciler, unfinishedHeads } from '../../../../controller/src/rollout/reconciler.ts';
import type { Head } from '../../../../protocol/head.ts';
import type { HeadResult } from '../../../../protocol/head-result.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { headOf, recordingLog } from '../../fixtures.ts';

const revision = 'f'.repeat(64);
const outcome = (module: string, sequence: number): HeadResult => ({
  module,
  sequence,
  verdict: 'committed',
  loaded: 3,
  refused: 0,
  silent: 0,
});

describe('unfinishedHeads', () => {
  const head = headOf('demo', revision, 5);
  const later = head.at + 1;

  it.each([
    ['has no outcome', [], later, true],
    ['has the outcome of the head before it', [outcome('demo', 4)], later, true],
    ["has another module's outcome", [outcome('other', 5)], later, true],
    ['has its outcome', [outcome('demo', 5)], later, false],
    ['was written a moment ago: its controller may be at work', [], head.at - 1, false],
  ])('of a head that %s', (_, headResults, before, unfinished) => {
    expect(unfinishedHeads([head], headResults, before)).toEqual(unfinished ? [head] : []);
  });

  it('are all that nobody finished', () => {
    const other = headOf('other', revision, 9);
    expect(unfinishedHeads([head, other], [outcome('demo', 5)], later)).toEqual([other]);
  });
});

describe('the sweep', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** A keeper over a stream with one module, whose bundles are in `bundles`; `onRemove` is called with each removal. */
  async function keeperOver(heads: Head[], bundles: Set<string>, onRemove = (): void => undefined): Promise<void> {
    const store = {
      restoreHeads: async () => [],
      heads: async () => heads.slice(-1),
      history: async () => heads,
      headResults: async () => heads.map(({ module, sequence }) => outcome(module, sequence)),
      bundles: async () => [...bundles].map(name => ({ module: 'demo', revision: name })),
      bundle: async (_: string, name: string) => (bundles.has(name) ? new Uint8Array() : null),
      removeBundle: async (_: string, name: string) => {
        bundles.delete(name);
        onRemove();
      },
      putBundle: async ({ revision: name }: { revision: string }) => void bundles.add(name),
    };
    const parts = {
      nats: { publish: () => undefined },
      subjects: subjectsOf('dino'),
      store,
      watch: { observe: () => undefined },
      heartbeatInterval: () => 2_000,
      finish: async () => undefined,
      goBack: async () => undefined,
      log: recordingLog(),
    };
    await new Reconciler(parts as unknown as ConstructorParameters<typeof Reconciler>[0]).start();
  }

  const idle = 'a'.repeat(64);

  it('removes a bundle that no kept head names at two sweeps in a row, and no other', async () => {
    const bundles = new Set([revision, idle]);
    await keeperOver([headOf('demo', revision, 5)], bundles);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(bundles).toEqual(new Set([revision, idle]));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(bundles).toEqual(new Set([revision]));
  });

  it('removes the bundle of a first push that came to nothing: its module has no head', async () => {
    const bundles = new Set([idle]);
    await keeperOver([], bundles);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(bundles).toEqual(new Set());
  });

  it('puts a bundle back that a head has named meanwhile', async () => {
    const heads = [headOf('demo', revision, 5)];
    const bundles = new Set([revision, idle]);
    await keeperOver(heads, bundles, () => void heads.push(headOf('demo', idle, 6)));
    await vi.advanceTimersByTimeAsync(120_000);
    expect(bundles).toEqual(new Set([revision, idle]));
  });
});
