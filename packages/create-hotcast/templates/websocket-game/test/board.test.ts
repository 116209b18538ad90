import { expect, test } from 'vitest';

import { join, move, newBoard } from '../modules/game/board.ts';

test('who reaches the egg scores, and a new one is laid', () => {
  const board = newBoard();
  join(board, 'fred');
  Object.assign(board.players, { fred: { x: 0, y: 0, score: 0 } });
  board.egg = { x: 1, y: 7 };

  move(board, 'fred', 'right');
  move(board, 'fred', 'up');

  expect(board.players['fred']).toMatchObject({ x: 1, y: 7 });
  expect(board.players['fred']?.score).toBeGreaterThan(0);
});
