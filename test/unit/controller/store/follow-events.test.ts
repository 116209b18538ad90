import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { followEvents } from '../../../../controller/src/store/follow-events.ts';
import { MemoryAudit } from './memory-audit.ts';

/** Follows an audit, and remembers what it has read. */
function following(audit: MemoryAudit, from: number) {
  const positions: number[] = [];
  const faults: unknown[] = [];
  const stop = new AbortController();
  let missing = 0;
  const run = async (): Promise<void> => {
    const follower = { signal: stop.signal, onFault: (error: unknown) => void faults.push(error) };
    for await (const batch of followEvents(audit, from, follower)) {
      positions.push(...batch.events.map(({ position }) => position));
      missing += batch.missing;
    }
  };
  const ended = run();
  return { positions, faults, missing: () => missing, end: () => (stop.abort(), ended) };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('to follow the events', () => {
  it('gives what is kept after a position, and then each one at once, also when it is in the stream a moment later', async () => {
    const audit = new MemoryAudit();
    audit.last = 5;
    const { positions, end } = following(audit, 1);
    await vi.advanceTimersByTimeAsync(0);
    expect(positions).toEqual([2, 3, 4, 5]);
    audit.write();
    await vi.advanceTimersByTimeAsync(0);
    expect(positions.at(-1)).toBe(6);
    audit.lagMs = 100;
    audit.write();
    await vi.advanceTimersByTimeAsync(130);
    expect(positions.at(-1)).toBe(7);
    await end();
    expect(audit.listening).toBe(0);
  });

  it('looks every two seconds when nothing is heard', async () => {
    const audit = new MemoryAudit();
    const { positions, end } = following(audit, 0);
    await vi.advanceTimersByTimeAsync(10);
    audit.last = 1;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(positions).toEqual([1]);
    const { reads } = audit;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(audit.reads - reads).toBe(30);
    await end();
  });

  it('goes on from where it was when NATS answers again', async () => {
    const audit = new MemoryAudit();
    audit.last = 1;
    const { positions, faults, end } = following(audit, 0);
    await vi.advanceTimersByTimeAsync(0);
    audit.isDown = true;
    audit.last = 3;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(faults.length).toBeGreaterThan(1);
    audit.isDown = false;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(positions).toEqual([1, 2, 3]);
    await end();
  });

  it('counts what is dropped already', async () => {
    const audit = new MemoryAudit();
    Object.assign(audit, { first: 8, last: 9 });
    const { positions, missing, end } = following(audit, 3);
    await vi.advanceTimersByTimeAsync(0);
    expect({ positions, missing: missing() }).toEqual({ positions: [8, 9], missing: 4 });
    await end();
  });

  it('begins again with an audit that has begun again', async () => {
    const audit = new MemoryAudit();
    audit.last = 4;
    const { positions, end } = following(audit, 2);
    await vi.advanceTimersByTimeAsync(0);
    audit.last = 1;
    await vi.advanceTimersByTimeAsync(4_000);
    expect(positions).toEqual([3, 4, 1]);
    await end();
  });
});
