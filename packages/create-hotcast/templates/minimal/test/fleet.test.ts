import { startFleet } from '@hotcast/testing';
import { expect, test } from 'vitest';

type Modules = { demo: typeof import('../modules/demo.ts'); counter: typeof import('../modules/counter.ts') };

test('an update reaches every node, and nothing is lost', async () => {
  await using fleet = await startFleet<Modules>({ nodes: 3 });
  await fleet.push(['demo', 'counter']);
  await fleet.call('counter.increment', 5);
  const processes = await fleet.processes();

  fleet.edit('counter', text => text.replace('data.count, by', 'data.count, 2 * by'));
  await fleet.push('counter');

  expect(await fleet.call('counter.increment', 5)).toEqual({ fred: 15, bambam: 15, betty: 15 });
  expect(await fleet.processes()).toEqual(processes);
});
