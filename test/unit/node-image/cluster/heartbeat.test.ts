import type { NatsConnection } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Heartbeat } from '../../../../node-image/src/cluster/heartbeat.ts';
import { decode } from '../../../../protocol/codec.ts';
import { nodeDescription } from '../../../../protocol/messages.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { descriptionOf } from '../../fixtures.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A heartbeat that has started; `told` gives when it spoke, and what it said of the next time (milliseconds). */
function started() {
  const startedAt = performance.now();
  const told: [at: number, next: number | undefined][] = [];
  const publish = (_: string, bytes: Uint8Array): void => {
    told.push([performance.now() - startedAt, decode(nodeDescription, bytes).heartbeatInterval]);
  };
  const heartbeat = new Heartbeat({ publish } as unknown as NatsConnection, subjectsOf('dino'), () =>
    descriptionOf('fred'),
  );
  heartbeat.start();
  return { heartbeat, told };
}

describe('heartbeat', () => {
  it('is told at once and every 2 seconds', () => {
    const { told } = started();
    vi.advanceTimersByTime(4_500);
    expect(told.map(([at]) => at)).toEqual([0, 2_000, 4_000]);
  });

  it('says when it comes again, and keeps to what it said before it is rarer', () => {
    const { heartbeat, told } = started();
    heartbeat.setInterval(20_000);
    vi.advanceTimersByTime(30_000);
    expect(told).toEqual([
      [0, 2_000],
      [2_000, 20_000],
      [22_000, 20_000],
    ]);
  });

  it('is more frequent within the shorter time', () => {
    const { heartbeat, told } = started();
    heartbeat.setInterval(20_000);
    vi.advanceTimersByTime(3_000);
    heartbeat.setInterval(2_000);
    heartbeat.setInterval(2_000);
    vi.advanceTimersByTime(2_000);
    expect(told.length).toBe(3);
    expect(told[2]?.[1]).toBe(2_000);
  });

  it('ends with the goodbye', () => {
    const { heartbeat, told } = started();
    heartbeat.goodbye();
    heartbeat.setInterval(2_000);
    vi.advanceTimersByTime(10_000);
    expect(told.length).toBe(2);
  });
});
