import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { startBundleGc } from '../../../../../controller/src/rollout/gc/bundle-gc.ts';
import type { BundleName } from '../../../../../controller/src/store/bundles.ts';
import type { StreamStore } from '../../../../../controller/src/store/stream-store.ts';
import type { Head } from '../../../../../protocol/head.ts';
import { headOf, recordingLog } from '../../../fixtures.ts';

const named = 'f'.repeat(64);
const unnamed = 'a'.repeat(64);

describe('the collection of bundles', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Starts a collection over a stream with one module; `onRemove` is called after each removal. */
  function start(heads: readonly Head[], bundles: Set<string>, onRemove = (): void => undefined): Disposable {
    const store = {
      history: async () => heads,
      bundles: async () => [...bundles].map(revision => ({ module: 'demo', revision })),
      bundle: async ({ revision }: BundleName) => (bundles.has(revision) ? new Uint8Array() : null),
      removeBundle: async ({ revision }: BundleName) => {
        bundles.delete(revision);
        onRemove();
      },
      putBundle: async ({ revision }: BundleName) => void bundles.add(revision),
    };
    return startBundleGc(store as unknown as StreamStore, recordingLog());
  }

  it('removes a bundle that no kept head names at two collections in a row, and no other', async () => {
    const bundles = new Set([named, unnamed]);
    using _gc = start([headOf('demo', named, 5)], bundles);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(bundles).toEqual(new Set([named, unnamed]));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(bundles).toEqual(new Set([named]));
  });

  it('removes the bundle of a first push that was never committed: its module has no head', async () => {
    const bundles = new Set([unnamed]);
    using _gc = start([], bundles);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(bundles).toEqual(new Set());
  });

  it('writes a bundle again that a head has named meanwhile', async () => {
    const heads = [headOf('demo', named, 5)];
    const bundles = new Set([named, unnamed]);
    using _gc = start(heads, bundles, () => void heads.push(headOf('demo', unnamed, 6)));
    await vi.advanceTimersByTimeAsync(120_000);
    expect(bundles).toEqual(new Set([named, unnamed]));
  });

  it('ends when it is disposed', async () => {
    const bundles = new Set([unnamed]);
    start([], bundles)[Symbol.dispose]();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(bundles).toEqual(new Set([unnamed]));
    expect(vi.getTimerCount()).toBe(0);
  });
});
