import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { createKeyLookup } from '../../../../node-image/src/cluster/key-lookup.ts';
import { createReconciler } from '../../../../node-image/src/cluster/reconciler.ts';
import { CodeServer } from '../../../../node-image/src/modules/code-server.ts';
import { recordingLog } from '../../fixtures.ts';

describe('the look for an unknown key', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => void vi.useRealTimers());

  it('is made once a second, however many unknown keys there are', async () => {
    const read = vi.fn<() => Promise<void>>(async () => undefined);
    const lookup = createKeyLookup(read);
    expect(lookup.isDue()).toBe(true);
    await lookup.look();
    vi.advanceTimersByTime(999);
    expect(lookup.isDue()).toBe(false);
    vi.advanceTimersByTime(1);
    expect(lookup.isDue()).toBe(true);
  });

  it('is one for all that come while it is made, and is made again after a fault', async () => {
    let reject: (error: Error) => void = () => undefined;
    const promise = new Promise<never>((_, fail) => (reject = fail));
    const read = vi.fn<() => Promise<void>>(() => promise);
    const lookup = createKeyLookup(read);
    const looks = [lookup.look(), lookup.look()];
    expect([lookup.isDue(), read.mock.calls.length]).toEqual([true, 1]);
    reject(new Error('no route'));
    await expect(Promise.allSettled(looks)).resolves.toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
    read.mockResolvedValue(undefined);
    await lookup.look();
    expect(read).toHaveBeenCalledTimes(2);
  });
});

describe('a digest', () => {
  it('with a newer list of keys has a node read the stream, and not again and again when the stream has none', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    onTestFinished(() => void vi.restoreAllMocks());
    const keys = { stored: 2, read: 0 };
    const heads = vi.fn<() => Promise<[]>>(async () => {
      keys.read = keys.stored;
      return [];
    });
    const records = { heads, bundle: async () => null, keyList: () => keys.read };
    const log = recordingLog();
    using reconciler = createReconciler('fred', new CodeServer(log), records, log);
    for (const number of [2, 2, 1]) await reconciler.compare({ heads: {}, keys: number });
    expect([heads.mock.calls.length, keys.read]).toEqual([1, 2]);
    await reconciler.compare({ heads: {}, keys: 9 });
    const reads = heads.mock.calls.length;
    await reconciler.compare({ heads: {}, keys: 9 });
    expect(heads).toHaveBeenCalledTimes(reads);
    keys.stored = 3;
    await reconciler.compare({ heads: {}, keys: 3 });
    expect(keys.read).toBe(3);
  });
});
