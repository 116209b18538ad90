import type { NatsConnection } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { heartbeatOf } from '../../../../node-image/src/cluster/heartbeat.ts';
import { decode } from '../../../../protocol/codec.ts';
import { nodeDescription } from '../../../../protocol/messages.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { descriptionOf } from '../../fixtures.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A started heartbeat; `published` has the time of each message, and the interval in it (milliseconds). */
function started() {
  const startedAt = performance.now();
  const published: [at: number, next: number | undefined][] = [];
  const publish = (_: string, bytes: Uint8Array): void => {
    published.push([performance.now() - startedAt, decode(nodeDescription, bytes).heartbeatInterval]);
  };
  const heartbeat = heartbeatOf({ publish } as unknown as NatsConnection, subjectsOf('dino'), () =>
    descriptionOf('fred'),
  );
  heartbeat.start();
  return { heartbeat, published };
}

describe('heartbeat', () => {
  it('is published immediately and every 2 seconds', () => {
    const { published } = started();
    vi.advanceTimersByTime(4_500);
    expect(published.map(([at]) => at)).toEqual([0, 2_000, 4_000]);
  });

  it('announces the next heartbeat, and keeps to it before a longer interval applies', () => {
    const { heartbeat, published } = started();
    heartbeat.setInterval(20_000);
    vi.advanceTimersByTime(30_000);
    expect(published).toEqual([
      [0, 2_000],
      [2_000, 20_000],
      [22_000, 20_000],
    ]);
  });

  it('applies a shorter interval within that interval', () => {
    const { heartbeat, published } = started();
    heartbeat.setInterval(20_000);
    vi.advanceTimersByTime(3_000);
    heartbeat.setInterval(2_000);
    heartbeat.setInterval(2_000);
    vi.advanceTimersByTime(2_000);
    expect(published.length).toBe(3);
    expect(published[2]?.[1]).toBe(2_000);
  });

  it('ends with the goodbye', () => {
    const { heartbeat, published } = started();
    heartbeat.goodbye(8_000);
    heartbeat.setInterval(2_000);
    vi.advanceTimersByTime(10_000);
    expect(published.length).toBe(2);
  });
});
