/** A board, on which players hunt one egg. */
export interface Board {
  readonly players: Record<string, Player>;
  egg: Place;
}

export interface Place {
  x: number;
  y: number;
}

export interface Player extends Place {
  score: number;
}

export const SIZE = 8;

const STEPS: Readonly<Record<string, Place>> = {
  up: { x: 0, y: -1 },
  down: { x: 0, y: 1 },
  left: { x: -1, y: 0 },
  right: { x: 1, y: 0 },
};

export function newBoard(): Board {
  return { players: {}, egg: anyPlace() };
}

export function join(board: Board, id: string): void {
  board.players[id] = { ...anyPlace(), score: 0 };
}

export function leave(board: Board, id: string): void {
  delete board.players[id];
}

/** Moves a player by one place, if the text is a direction. Whoever reaches the egg scores, and a new one is laid. */
export function move(board: Board, id: string, direction: string): void {
  const player = board.players[id];
  const step = STEPS[direction];
  if (player === undefined || step === undefined) return;
  player.x = (player.x + step.x + SIZE) % SIZE;
  player.y = (player.y + step.y + SIZE) % SIZE;
  if (player.x !== board.egg.x || player.y !== board.egg.y) return;
  player.score += 1;
  board.egg = anyPlace();
}

function anyPlace(): Place {
  return { x: Math.floor(Math.random() * SIZE), y: Math.floor(Math.random() * SIZE) };
}
