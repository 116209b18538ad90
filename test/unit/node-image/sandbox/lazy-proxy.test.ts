import { describe, expect, it } from 'vitest';

import { lazyProxy } from '../../../../node-image/src/sandbox/lazy-proxy.ts';

class Counter {
  count = 0;
  more = (): number => (this.count += 1);
}

function stub() {
  const made: Counter[] = [];
  const counter = lazyProxy(() => {
    const one = new Counter();
    made.push(one);
    return one;
  });
  return { counter, made };
}

describe('an object that is made at its first use', () => {
  it('is not made before, and once', () => {
    const { counter, made } = stub();
    expect(made.length).toBe(0);
    counter.more();
    counter.more();
    expect(made).toMatchObject([{ count: 2 }]);
  });

  it('does what the object does, also when its functions are taken out of it', () => {
    const { counter, made } = stub();
    const { more } = counter;
    more();
    expect(made[0]?.count).toBe(1);
  });

  it('can be looked through and changed as the object can', () => {
    const { counter, made } = stub();
    expect(Object.keys(counter)).toEqual(['count', 'more']);
    counter.count = 7;
    expect(made[0]?.count).toBe(7);
    expect('more' in counter).toBe(true);
    expect(counter).toBeInstanceOf(Counter);
  });
});
