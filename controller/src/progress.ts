import type { Say } from './command.ts';

/** How often a display of progress changes at most (milliseconds). */
const STEP = 50;

/** Tells how many of the expected nodes have answered in a phase; of what comes closer together, the first. */
export function progressOf(say: Say, expected: number): (phase: string, answered: number) => void {
  let toldAt = -Infinity;
  return (phase, answered) => {
    const now = performance.now();
    if (now - toldAt < STEP) return;
    toldAt = now;
    say({ type: 'progress', phase, answered, expected });
  };
}
