import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { startPackagesGc } from '../../../../../controller/src/rollout/gc/packages-gc.ts';
import type { StreamStore } from '../../../../../controller/src/store/stream-store.ts';
import type { Head } from '../../../../../protocol/head.ts';
import { headOf, recordingLog } from '../../../fixtures.ts';

const INTERVAL = 300_000;

const NAMED = 'f'.repeat(64);
const UNNAMED = 'a'.repeat(64);

/** A head whose revision uses a package set. */
function headWith(hash: string): Head {
  const packages = { hash, versions: {}, bytes: 1 };
  return { ...headOf('demo', 'b'.repeat(64), 5), manifest: { exports: [], imports: {}, sources: {}, packages } };
}

describe('the collection of packages', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** A stream with sets, by hash, and archives. `onRemove` is called after each removal. */
  function start(
    heads: readonly Head[],
    sets: Map<string, string[]>,
    archives: Set<string>,
    onRemove = (): void => undefined,
  ): Disposable {
    const store = {
      heads: async () => [headOf('demo', null, 9)],
      history: async () => heads,
      packageSets: async () => [...sets.keys()],
      packageSet: async (hash: string) => ({ instances: (sets.get(hash) ?? []).map(archive => ({ archive })) }),
      archives: async () => new Map([...archives].map(hash => [hash, 1])),
      removePackageSet: async (hash: string) => {
        const before = sets.get(hash) ?? [];
        sets.delete(hash);
        onRemove();
        return async () => void sets.set(hash, before);
      },
      removeArchive: async (hash: string) => {
        archives.delete(hash);
        onRemove();
        return async () => void archives.add(hash);
      },
    };
    return startPackagesGc(store as unknown as StreamStore, recordingLog());
  }

  it('removes sets that no kept head names, then archives that no set names, each at two collections in a row', async () => {
    const sets = new Map([
      [NAMED, ['used', 'both']],
      [UNNAMED, ['both', 'old']],
    ]);
    const archives = new Set(['used', 'both', 'old', 'stray']);
    using _gc = start([headWith(NAMED)], sets, archives);
    await vi.advanceTimersByTimeAsync(INTERVAL);
    expect([sets.size, archives.size]).toEqual([2, 4]);
    await vi.advanceTimersByTimeAsync(INTERVAL);
    expect([[...sets.keys()], [...archives]]).toEqual([[NAMED], ['used', 'both', 'old']]);
    await vi.advanceTimersByTimeAsync(INTERVAL);
    expect([...archives]).toEqual(['used', 'both']);
  });

  it('keeps the packages of an open canary', async () => {
    const head = headWith(UNNAMED);
    const canary = { revision: 'c'.repeat(64), manifest: headWith(NAMED).manifest, scope: ['fred'], maxErrors: 0 };
    const sets = new Map([
      [NAMED, ['used']],
      [UNNAMED, ['old']],
    ]);
    using _gc = start([{ ...head, canary: canary as unknown as Head['canary'] }], sets, new Set(['used', 'old']));
    await vi.advanceTimersByTimeAsync(3 * INTERVAL);
    expect(sets.size).toBe(2);
  });

  it('writes again what was named while it was removed', async () => {
    const heads: Head[] = [];
    const sets = new Map([[NAMED, ['used']]]);
    using _gc = start(heads, sets, new Set(['used']), () => void heads.push(headWith(NAMED)));
    await vi.advanceTimersByTimeAsync(3 * INTERVAL);
    expect([...sets.keys()]).toEqual([NAMED]);
  });
});
