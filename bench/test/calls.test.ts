import { describe, expect, it } from 'vitest';

import { type Call, callFigures, stateFigures } from '../restarts/calls.ts';

const call = (dueAt: number, took: number, failure: string | null = null): Call => ({
  dueAt,
  endedAt: dueAt + took,
  failure,
  tally: null,
});

describe('the figures of calls', () => {
  it('include the calls that were due in the window, no matter when they ended', () => {
    const calls = [call(90, 20), call(100, 5), call(199, 50), call(200, 5)];
    expect(callFigures(calls, 100, 200)).toMatchObject({ calls: 2, failed: 0, failures: {} });
  });

  it('count failures by reason, and take latencies of good calls only', () => {
    const calls = [call(100, 5), call(110, 5_000, 'timeout'), call(120, 7), call(130, 1, 'connection')];
    const failures = { timeout: 1, connection: 1 };
    expect(callFigures(calls, 100, 200)).toMatchObject({ calls: 4, failed: 2, failures, p50: 6, p99: 6.98 });
  });

  it('have as gap the longest time without a good answer; a failed call does not end it', () => {
    const calls = [call(100, 10), call(120, 5), call(130, 20, 'status'), call(170, 10)];
    expect(callFigures(calls, 100, 200).longestGap).toBe(55);
  });

  it('have the whole window as gap when it has no good answer', () => {
    expect(callFigures([call(90, 5), call(110, 5, 'status')], 100, 200).longestGap).toBe(100);
  });
});

describe('the figures of state', () => {
  const answer = (endedAt: number, node: string, version: number, count: number): Call => ({
    dueAt: endedAt,
    endedAt,
    failure: null,
    tally: { version, node, count },
  });
  const before = [answer(10, 'fred', 1, 5), answer(20, 'fred', 1, 6), answer(20, 'betty', 1, 3)];

  it('have every node kept and no call forgotten when counters go on', () => {
    const after = [answer(110, 'fred', 2, 7), answer(110, 'betty', 2, 4)];
    expect(stateFigures([...before, ...after], 50, 100, 2)).toEqual({ nodesKept: 2, callsForgotten: 0 });
  });

  it('forget all earlier calls of a node whose counter starts again, under its name or another one', () => {
    const restarted = [answer(110, 'fred', 2, 1), answer(110, 'betty', 2, 4)];
    expect(stateFigures([...before, ...restarted], 50, 100, 2)).toEqual({ nodesKept: 1, callsForgotten: 6 });
    const recreated = [answer(110, 'wilma', 2, 1), answer(110, 'betty', 2, 4)];
    expect(stateFigures([...before, ...recreated], 50, 100, 2)).toEqual({ nodesKept: 1, callsForgotten: 6 });
  });
});
