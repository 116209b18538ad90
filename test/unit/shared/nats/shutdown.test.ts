import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { drainConnection } from '../../../../shared/nats/shutdown.ts';

const close = async (): Promise<void> => undefined;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('drainConnection', () => {
  it('waits until everything is sent', async () => {
    const events: string[] = [];
    const drain = async (): Promise<void> => {
      await new Promise(resolve => setTimeout(resolve, 150));
      events.push('sent');
    };
    const drained = drainConnection({ drain, close }, 200).then(() => events.push('drained'));
    await vi.advanceTimersByTimeAsync(150);
    await drained;
    expect(events).toEqual(['sent', 'drained']);
  });

  it('does not wait longer than its timeout', async () => {
    const drained = drainConnection({ close, drain: () => new Promise(() => undefined) }, 200);
    // It gives up in the next turn.
    await vi.advanceTimersByTimeAsync(201);
    await expect(drained).resolves.toBeUndefined();
  });

  it('closes a connection that is lost meanwhile', async () => {
    const drained = drainConnection({ close, drain: () => Promise.reject(new Error('connection disconnected')) }, 200);
    await expect(drained).resolves.toBeUndefined();
  });
});
