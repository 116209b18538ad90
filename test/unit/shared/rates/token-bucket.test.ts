import { describe, expect, it } from 'vitest';

import { TokenBucket } from '../../../../shared/rates/token-bucket.ts';

/** A bucket and its clock. */
function bucketOf(perSecond: number, burst: number) {
  let time = 0;
  const bucket = new TokenBucket(perSecond, burst, () => time);
  const taken = (tries: number): number => Array.from({ length: tries }).filter(() => bucket.take()).length;
  return { bucket, taken, wait: (ms: number) => void (time += ms) };
}

describe('a token bucket', () => {
  it('gives a burst at once, and then so many a second', () => {
    const { taken, wait } = bucketOf(10, 20);
    expect(taken(100)).toBe(20);
    wait(500);
    expect(taken(100)).toBe(5);
    wait(60_000);
    expect(taken(100)).toBe(20);
  });

  it('makes the next ones wait for what costs more than is left', () => {
    const { bucket, taken, wait } = bucketOf(10, 20);
    expect(bucket.take(30)).toBe(true);
    wait(1_000);
    expect(taken(1)).toBe(0);
    wait(1_000);
    expect(taken(100)).toBe(10);
  });

  it('gives nothing more at once when its rate changes', () => {
    const { bucket, taken, wait } = bucketOf(10, 20);
    taken(100);
    bucket.setRate(100, 200);
    expect(taken(1)).toBe(0);
    wait(100);
    expect(taken(100)).toBe(10);
  });
});
