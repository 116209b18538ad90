import { describe, expect, test } from 'vitest';

import { cpuShare, workingSet } from '../../../bench/containers.ts';

describe('working set', () => {
  test('leaves out the page cache that could go at once, in either version of control groups', () => {
    expect(workingSet({ usage: 100, stats: { total_inactive_file: 30, inactive_file: 5 } })).toBe(70);
    expect(workingSet({ usage: 100, stats: { inactive_file: 30 } })).toBe(70);
  });

  test('is all that is charged where the engine says nothing of the page cache, or more than there is', () => {
    expect(workingSet({ usage: 100, stats: {} })).toBe(100);
    expect(workingSet({ usage: 100, stats: { inactive_file: 101 } })).toBe(100);
  });
});

test('half a core over two seconds is half a second in each', () => {
  const reading = (read: string, total_usage: number) => ({ read, cpu_stats: { cpu_usage: { total_usage } } });
  expect(cpuShare(reading('2026-01-01T00:00:00.000000000Z', 5e9), reading('2026-01-01T00:00:02.000000000Z', 6e9))).toBe(
    0.5,
  );
});
