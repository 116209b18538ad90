import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { leave } from '../../../protocol/connection.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('leave', () => {
  it('waits until all has gone out', async () => {
    const events: string[] = [];
    const drain = async (): Promise<void> => {
      await new Promise(resolve => setTimeout(resolve, 150));
      events.push('drained');
    };
    const left = leave({ drain }, 200).then(() => events.push('left'));
    await vi.advanceTimersByTimeAsync(150);
    await left;
    expect(events).toEqual(['drained', 'left']);
  });

  it('does not wait longer than it may', async () => {
    const left = leave({ drain: () => new Promise(() => undefined) }, 200);
    await vi.advanceTimersByTimeAsync(200);
    await expect(left).resolves.toBeUndefined();
  });

  it('does not mind a connection that is lost meanwhile', async () => {
    const left = leave({ drain: () => Promise.reject(new Error('connection disconnected')) }, 200);
    await expect(left).resolves.toBeUndefined();
  });
});
