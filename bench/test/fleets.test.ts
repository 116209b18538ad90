import { describe, expect, test } from 'vitest';

import { cpuShare, workingSet } from '../docker.ts';
import { multicallSample, nlSample } from '../erlang/erlang.ts';

describe('working set', () => {
  test('excludes the page cache that can be freed at once, in both versions of control groups', () => {
    expect(workingSet({ usage: 100, stats: { total_inactive_file: 30, inactive_file: 5 } })).toBe(70);
    expect(workingSet({ usage: 100, stats: { inactive_file: 30 } })).toBe(70);
  });

  test('is the whole usage when the engine reports no page cache, or more than the usage', () => {
    expect(workingSet({ usage: 100, stats: {} })).toBe(100);
    expect(workingSet({ usage: 100, stats: { inactive_file: 101 } })).toBe(100);
  });
});

test('a second of processor time in two seconds is half a core', () => {
  expect(cpuShare({ at: 0, cpu: 5_000 }, { at: 2_000, cpu: 6_000 })).toBe(0.5);
});

test('the phases of a multicall add up to its time', () => {
  expect(multicallSample({ took: 9_000, arrived: [3_000, 1_000], switched: [8_000, 2_000] })).toEqual({
    ms: 9,
    skew: 6,
    phases: { deliver: 1, load: 7, answer: 1 },
  });
});

test('nl has no skew', () => {
  expect(nlSample({ took: 9_000, sent: 1_000, rounds: 2 })).toEqual({
    ms: 9,
    skew: null,
    phases: { send: 1, poll: 8 },
  });
});

test('an answer without its times is an error, not a sample', () => {
  expect(() => multicallSample({ took: 9_000 })).toThrow(TypeError);
  expect(() => nlSample({ sent: 1_000 })).toThrow(TypeError);
});
