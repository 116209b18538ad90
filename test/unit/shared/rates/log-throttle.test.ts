import { describe, expect, it } from 'vitest';

import { LogThrottle } from '../../../../shared/rates/log-throttle.ts';

describe('LogThrottle', () => {
  it('logs a flood at once, and then once a minute with the number of events', () => {
    let now = 0;
    const throttle = new LogThrottle(() => now);
    const counts = Array.from({ length: 10_000 }, () => throttle.count('a'));
    expect(counts.filter(count => count !== null)).toEqual([1]);
    expect(throttle.count('b')).toBe(1);
    now = 60_000;
    expect([throttle.count('a'), throttle.count('a')]).toEqual([10_000, null]);
  });
});
