import { once } from 'node:events';

import { startFleet } from '@hotcast/testing';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';

type Modules = { game: typeof import('../modules/game/index.ts') };

test('an update reaches every node, and no player is lost', async () => {
  await using fleet = await startFleet<Modules>({ nodes: 1 });
  await fleet.push('game');
  const socket = new WebSocket(fleet.url('game', '/').replace('http', 'ws'));
  await once(socket, 'message');

  fleet.edit('game/board.ts', text => text.replace('score +=', 'score += 9 +'));
  await fleet.push('game');

  // The connection and its player are still there.
  socket.send('up');
  await once(socket, 'message');
  expect(await fleet.call('game.players')).toEqual({ fred: 1 });
  socket.terminate();
});
