import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { lateRecords } from '../../../../node-image/src/cluster/late-records.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

describe('a record that has to be there', () => {
  it('is read once when it is', async () => {
    const read = vi.fn(async () => 'bundle');
    expect(await lateRecords()(read)).toBe('bundle');
    expect(read).toHaveBeenCalledTimes(1);
  });

  it('is waited for up to a second', async () => {
    const at = performance.now() + 900;
    const reading = lateRecords()(async () => (performance.now() >= at ? 'bundle' : null));
    await vi.runAllTimersAsync();
    expect(await reading).toBe('bundle');
  });

  it('is missing after a second, and so is the next one at once: the stream has lost records', async () => {
    const readLate = lateRecords();
    const startedAt = performance.now();
    for (let lost = 0; lost < 20; lost += 1) {
      const reading = readLate(async () => null);
      await vi.runAllTimersAsync();
      expect(await reading).toBeNull();
    }
    expect(performance.now() - startedAt).toBe(1_000);
  });

  it('is waited for again when some time has passed', async () => {
    const readLate = lateRecords();
    const lost = readLate(async () => null);
    await vi.runAllTimersAsync();
    expect(await lost).toBeNull();
    await vi.advanceTimersByTimeAsync(1_000);
    const read = vi.fn(async (): Promise<string | null> => 'bundle').mockResolvedValueOnce(null);
    const reading = readLate(read);
    await vi.runAllTimersAsync();
    expect(await reading).toBe('bundle');
  });
});
