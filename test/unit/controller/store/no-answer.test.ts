import { JetStreamApiError } from '@nats-io/jetstream';
import { NoRespondersError, RequestError, TimeoutError } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { againOnce, isNoAnswer } from '../../../../controller/src/store/no-answer.ts';

const nobody = new RequestError('no responders', { cause: new NoRespondersError('stream') });
const noLeader = new JetStreamApiError({ code: 503, err_code: 10008, description: 'temporarily unavailable' });
const refused = new JetStreamApiError({ code: 400, err_code: 10071, description: 'wrong last sequence' });

describe('NATS does not answer', () => {
  it.each([new TimeoutError(), nobody, noLeader])('when it says: %s', error => {
    expect(isNoAnswer(error)).toBe(true);
  });

  it.each([refused, new Error('bug'), null])('but it does when it says: %s', error => {
    expect(isNoAnswer(error)).toBe(false);
  });
});

describe('a read without an answer', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it.each([new TimeoutError(), nobody])('is tried once more: %s', async error => {
    const read = vi.fn(async () => 'record').mockRejectedValueOnce(error);
    const reading = againOnce(read);
    await vi.runAllTimersAsync();
    expect(await reading).toBe('record');
    expect(read).toHaveBeenCalledTimes(2);
  });

  it('fails when there is none again, and other failures are not tried again', async () => {
    const read = vi.fn().mockRejectedValue(new TimeoutError());
    await expect(againOnce(read)).rejects.toThrow(TimeoutError);
    expect(read).toHaveBeenCalledTimes(2);
    const refusing = vi.fn().mockRejectedValue(refused);
    await expect(againOnce(refusing)).rejects.toBe(refused);
    expect(refusing).toHaveBeenCalledTimes(1);
  });
});
