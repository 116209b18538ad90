import { describe, expect, it } from 'vitest';

import { LogThrottle } from '../../../shared/log-throttle.ts';

describe('a flood', () => {
  it('is told at once, and then once a minute with how many there were', () => {
    let now = 0;
    const throttle = new LogThrottle(() => now);
    const told = Array.from({ length: 10_000 }, () => throttle.count('a'));
    expect(told.filter(count => count !== null)).toEqual([1]);
    expect(throttle.count('b')).toBe(1);
    now = 60_000;
    expect([throttle.count('a'), throttle.count('a')]).toEqual([10_000, null]);
  });
});
