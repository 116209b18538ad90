import { JetStreamApiError } from '@nats-io/jetstream';
import { NoRespondersError, RequestError, TimeoutError } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { isNoAnswer, untilAnswered } from '../../../../controller/src/store/no-answer.ts';

const nobody = new RequestError('no responders', { cause: new NoRespondersError('stream') });
/** What the client makes of it when it has written. */
const notEnabled = new Error('jetstream is not enabled', { cause: nobody });
const noLeader = new JetStreamApiError({ code: 503, err_code: 10008, description: 'temporarily unavailable' });
const refused = new JetStreamApiError({ code: 400, err_code: 10071, description: 'wrong last sequence' });

describe('NATS does not answer', () => {
  it.each([new TimeoutError(), nobody, notEnabled, noLeader])('when it says: %s', error => {
    expect(isNoAnswer(error)).toBe(true);
  });

  it.each([refused, new Error('bug'), null])('but it does when it says: %s', error => {
    expect(isNoAnswer(error)).toBe(false);
  });
});

describe('a request without an answer', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it.each([new TimeoutError(), nobody, noLeader])('is sent again: %s', async error => {
    const ask = vi.fn(async () => 'record').mockRejectedValueOnce(error);
    const asking = untilAnswered(ask);
    await vi.runAllTimersAsync();
    expect(await asking).toBe('record');
    expect(ask).toHaveBeenCalledTimes(2);
  });

  it.each([
    [{ waitsForLeader: false }, [250, 500, 1_000, 1_000]],
    [{ waitsForLeader: true }, [1_000, 1_000, 1_000, 1_000]],
  ])('is sent again while it waits, and the first answer counts: %o', async (options, delays) => {
    const never = new Promise<string>(() => undefined);
    const ask = vi.fn(() => never);
    const asking = untilAnswered(ask, options);
    for (const [index, delayMs] of delays.entries()) {
      if (index + 1 === delays.length) ask.mockResolvedValueOnce('record');
      await vi.advanceTimersByTimeAsync(delayMs - 1);
      expect(ask).toHaveBeenCalledTimes(index + 1);
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(await asking).toBe('record');
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    [10_750, undefined],
    [0, { tryMs: 0 }],
  ])('fails after %i ms', async (ms, options) => {
    const ask = vi.fn().mockRejectedValue(noLeader);
    const asking = expect(untilAnswered(ask, options)).rejects.toBe(noLeader);
    await vi.advanceTimersByTimeAsync(ms);
    await asking;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('fails sooner when nobody is there twice, but for a write, which nobody takes while a stream has no leader', async () => {
    const ask = vi.fn().mockRejectedValue(notEnabled);
    const asking = expect(untilAnswered(ask)).rejects.toBe(notEnabled);
    await vi.advanceTimersByTimeAsync(1_000);
    await asking;
    expect(ask).toHaveBeenCalledTimes(2);
    const write = vi
      .fn(async () => 'written')
      .mockRejectedValueOnce(notEnabled)
      .mockRejectedValueOnce(notEnabled);
    const writing = untilAnswered(write, { waitsForLeader: true });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await writing).toBe('written');
  });

  it('is not sent again after another failure', async () => {
    const refusing = vi.fn().mockRejectedValue(refused);
    await expect(untilAnswered(refusing)).rejects.toBe(refused);
    expect(refusing).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
