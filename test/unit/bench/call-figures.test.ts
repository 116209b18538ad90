import { describe, expect, it } from 'vitest';

import { type Call, callFigures, type Failure } from '../../../bench/restarts/call.ts';

const call = (dueAt: number, took: number, failure: Failure | null = null): Call => ({
  dueAt,
  endedAt: dueAt + took,
  failure,
  detail: failure === null ? '' : 'ECONNRESET',
});

describe('the figures of calls', () => {
  it('count those that were due in the window, wherever they ended', () => {
    const calls = [call(90, 20), call(100, 5), call(199, 50), call(200, 5)];
    expect(callFigures(calls, 100, 200)).toMatchObject({ seconds: 0.1, calls: 2, failed: 0, failures: {} });
  });

  it('count failures by what went wrong, and take latencies of good calls only', () => {
    const calls = [call(100, 5), call(110, 5_000, 'time-out'), call(120, 7), call(130, 1, 'connection')];
    expect(callFigures(calls, 100, 200)).toMatchObject({
      calls: 4,
      failed: 2,
      failures: { 'time-out: ECONNRESET': 1, 'connection: ECONNRESET': 1 },
      p50: 7,
      p99: 7,
    });
  });

  it('have as gap the longest time without a good answer, which a failed call does not end', () => {
    const calls = [call(100, 10), call(120, 5), call(130, 20, 'status'), call(170, 10)];
    expect(callFigures(calls, 100, 200).longestGap).toBe(55);
  });

  it('have as gap the whole window when nothing was answered well in it', () => {
    expect(callFigures([call(90, 5), call(110, 5, 'status')], 100, 200).longestGap).toBe(100);
  });
});
