import { startFleet } from '@hotcast/testing';
import { expect, test } from 'vitest';

type Modules = { api: typeof import('../modules/api.ts') };

test('an update reaches every node, and nothing is lost', async () => {
  await using fleet = await startFleet<Modules>({ nodes: 3 });
  await fleet.push('api');
  for (let visit = 0; visit < 10; visit += 1) await fetch(fleet.url('api', '/visits'), { method: 'POST' });
  const visits = await fleet.call('api.visits');

  fleet.edit('api', text => text.replace('text(`', 'text(`Yabba dabba doo! '));
  await fleet.push('api');

  const response = await fetch(fleet.url('api', '/hello/Fred'));
  expect(await response.text()).toMatch(/^Yabba dabba doo! .*Fred/);
  expect(await fleet.call('api.visits')).toEqual(visits);
});
