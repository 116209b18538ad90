import { describe, expect, it } from 'vitest';

import { heartbeatInterval } from '../../../../controller/src/fleet/heartbeat-interval.ts';

describe('heartbeatInterval', () => {
  it.each([
    [0, 2_000],
    [1_000, 2_000],
    [3_000, 6_000],
    [10_000, 20_000],
    [1_000_000, 60_000],
  ])('asks %i nodes to tell every %i ms', (nodes, every) => {
    expect(heartbeatInterval(nodes, false)).toBe(every);
  });

  it('asks for the shortest time while a canary is on trial', () => {
    expect(heartbeatInterval(10_000, true)).toBe(2_000);
  });
});
