import { describe, expect, test } from 'vitest';

import { cpuShare, workingSet } from '../docker.ts';

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
