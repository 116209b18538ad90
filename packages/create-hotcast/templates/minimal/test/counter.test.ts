import { createRuntime } from '@hotcast/testing';
import { expect, test } from 'vitest';

type Modules = { counter: typeof import('../modules/counter.ts') };

test('a new version goes on with the count of the one before', async () => {
  await using runtime = await createRuntime<Modules>();
  const counter = await runtime.load('counter');
  expect(counter.increment(2)).toBe(2);

  await runtime.swap('counter', { edit: text => text.replace('data.count, by', 'data.count, 2 * by') });

  expect(counter.increment(5)).toBe(12);
});
