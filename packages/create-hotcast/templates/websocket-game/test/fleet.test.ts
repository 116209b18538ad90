import { once } from 'node:events';

import { startFleet } from '@hotcast/testing';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';

type Modules = { game: typeof import('../modules/game/index.ts') };

test('an update reaches the players, and none is lost', async () => {
  await using fleet = await startFleet<Modules>({ nodes: 1 });
  await fleet.push('game');
  const socket = new WebSocket(fleet.url('game', '/').replace('http', 'ws'));
  const next = async () => JSON.parse(String((await once(socket, 'message'))[0])) as { size: number; players: object };
  const before = await next();

  fleet.edit('game/board.ts', text => text.replace('SIZE = ', 'SIZE = 1 + '));
  await fleet.push('game');

  // The same connection and the same player, on the new version.
  socket.send('up');
  const after = await next();
  expect(after.size).toBe(before.size + 1);
  expect(Object.keys(after.players)).toEqual(Object.keys(before.players));
  expect(await fleet.call('game.players')).toEqual({ fred: 1 });
  socket.terminate();
});
