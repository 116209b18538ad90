import { describe, expect, it } from 'vitest';

import { Seldom } from '../../../protocol/seldom.ts';

describe('a flood', () => {
  it('is told at once, and then once a minute with how many there were', () => {
    let now = 0;
    const seldom = new Seldom(() => now);
    const told = Array.from({ length: 10_000 }, () => seldom.count('a'));
    expect(told.filter(count => count !== null)).toEqual([1]);
    expect(seldom.count('b')).toBe(1);
    now = 60_000;
    expect([seldom.count('a'), seldom.count('a')]).toEqual([10_000, null]);
  });
});
