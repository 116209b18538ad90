import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ROOT } from '../../support/shell.ts';
import { hosts } from '../node-image/modules/host.ts';

const host = hosts();

const sourceOf = (module: string): string => readFileSync(join(ROOT, `modules/${module}.ts`), 'utf8');

describe('modules/demo', () => {
  it('adds two numbers', async () => {
    const node = host();
    await node.push({ demo: sourceOf('demo') });
    expect(await node.value('demo', 'add', 4, 5)).toBe(9);
  });
});

describe('modules/counter', () => {
  it('continues to count after a push', async () => {
    const node = host();
    await node.push({ counter: sourceOf('counter') });
    await node.value('counter', 'increment', 2);
    await node.push({ counter: `${sourceOf('counter')} export const pushed = 1;` });
    expect(await node.value('counter', 'increment')).toBe(3);
  });

  it('accepts the count of a version without a start time', async () => {
    const node = host();
    const before = `import.meta.hot.data['count'] = 41; export const x = 1;`;
    await node.push({ counter: before });
    const startedAt = Date.now();
    await node.push({ counter: sourceOf('counter') });
    expect(await node.value('counter', 'increment')).toBe(42);
    expect(await node.value('counter', 'since')).toBeGreaterThanOrEqual(startedAt);
    await node.push({ counter: `${sourceOf('counter')} export const pushed = 1;` });
    expect(await node.value('counter', 'current')).toBe(42);
  });
});

describe('modules/greeter', () => {
  it('calls the current version of demo', async () => {
    const node = host();
    await node.push({ greeter: sourceOf('greeter') });
    expect(await node.call('greeter', 'greet', 'Fred')).toMatchObject({ failure: 'undef' });
    await node.push({ demo: sourceOf('demo') });
    expect(await node.value('greeter', 'greet', 'Fred')).toBe('Hello Fred, two and two are 4');
    await node.push({ demo: sourceOf('demo').replace('x + y', 'x + y + 1') });
    expect(await node.value('greeter', 'greet', 'Fred')).toBe('Hello Fred, two and two are 5');
  });
});

describe('modules/ticker', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  it.each([
    ['many pushes in a period', 70],
    ['one push in each period', 1_000],
    ['one push every few periods', 2_345],
  ])('ticks once a period, never twice, with %s', async (_, pause) => {
    const node = host();
    for (let push = 0; push < 30; push += 1) {
      await node.push({ ticker: `${sourceOf('ticker')} export const pushed = ${push};` });
      vi.advanceTimersByTime(pause);
      expect(await node.value('ticker', 'ticks')).toBe(Math.floor(((push + 1) * pause) / 1_000));
    }
  });
});
