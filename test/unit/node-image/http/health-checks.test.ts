import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { healthChecks } from '../../../../node-image/src/http/health-checks.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** Has the checks refuse, and tells when that has resolved. */
function refusing(checks: ReturnType<typeof healthChecks>, timeoutMs = 60_000) {
  const state = { isDone: false };
  const result = checks.refuse(timeoutMs).finally(() => (state.isDone = true));
  return { state, result };
}

describe('a node that refuses health checks', () => {
  it('waits until each proxy has been refused twice', async () => {
    const checks = healthChecks();
    expect([checks.ask('proxy'), checks.ask('ports')]).toEqual([true, true]);
    const { state, result } = refusing(checks);
    for (const proxy of ['proxy', 'proxy', 'proxy', 'ports']) {
      expect(checks.ask(proxy)).toBe(false);
      await vi.advanceTimersByTimeAsync(250);
      expect(state.isDone).toBe(false);
    }
    expect(checks.ask('ports')).toBe(false);
    await vi.advanceTimersByTimeAsync(10);
    expect(await result).toBe(true);
  });

  it('does not wait for an address that asked long ago, or for none', async () => {
    expect(await healthChecks().refuse(60_000)).toBe(false);
    const checks = healthChecks();
    checks.ask('proxy');
    await vi.advanceTimersByTimeAsync(3_001);
    expect(await checks.refuse(60_000)).toBe(false);
    expect(checks.ask('proxy')).toBe(false);
  });

  it('does not wait longer than it can, also when a proxy asks no more', async () => {
    for (const [timeoutMs, waits] of [
      [200, 200],
      [60_000, 3_000],
    ] as const) {
      const checks = healthChecks();
      checks.ask('proxy');
      const { state } = refusing(checks, timeoutMs);
      await vi.advanceTimersByTimeAsync(waits - 20);
      expect(state.isDone).toBe(false);
      await vi.advanceTimersByTimeAsync(40);
      expect(state.isDone).toBe(true);
    }
  });
});
