import { createRuntime } from '@hotcast/testing';
import { expect, test } from 'vitest';

type Modules = { api: typeof import('../modules/api.ts') };

test('a new version answers otherwise, and keeps the visits', async () => {
  await using runtime = await createRuntime<Modules>();
  const api = await runtime.load('api');
  await api.default.request('/visits', { method: 'POST' });

  await runtime.swap('api', { edit: text => text.replace('text(`', 'text(`Yabba dabba doo! ') });

  expect(await (await api.default.request('/hello/Fred')).text()).toMatch(/^Yabba dabba doo! .*Fred/);
  expect(api.visits()).toBe(1);
});
