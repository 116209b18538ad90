import { expect, test, vi } from 'vitest';

import { join, move, newBoard, SIZE } from '../modules/game/board.ts';

test('who reaches the egg scores, and a new one is laid', () => {
  const board = newBoard();
  join(board, 'fred');
  Object.assign(board.players, { fred: { x: 0, y: 0, score: 0 } });
  const last = SIZE - 1;
  board.egg = { x: 1, y: last };
  const random = vi.spyOn(Math, 'random').mockReturnValue(0.5);

  move(board, 'fred', 'right');
  expect(board).toMatchObject({ players: { fred: { x: 1, y: 0, score: 0 } }, egg: { x: 1, y: last } });
  move(board, 'fred', 'up');

  expect(board.players['fred']).toMatchObject({ x: 1, y: last });
  expect(board.players['fred']?.score).toBeGreaterThan(0);
  expect(board.egg).toEqual({ x: Math.floor(SIZE / 2), y: Math.floor(SIZE / 2) });
  random.mockRestore();
});
