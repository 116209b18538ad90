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

describe('a lazy proxy', () => {
  it('creates its object at the first use, and once', () => {
    const { counter, made } = stub();
    expect(made.length).toBe(0);
    counter.more();
    counter.more();
    expect(made).toMatchObject([{ count: 2 }]);
  });

  it('does what the object does, also when its functions are called separately', () => {
    const { counter, made } = stub();
    const { more } = counter;
    more();
    expect(made[0]?.count).toBe(1);
  });

  it('can be inspected and changed like the object', () => {
    const { counter, made } = stub();
    expect(Object.keys(counter)).toEqual(['count', 'more']);
    counter.count = 7;
    expect(made[0]?.count).toBe(7);
    expect('more' in counter).toBe(true);
    expect(counter).toBeInstanceOf(Counter);
  });
});
