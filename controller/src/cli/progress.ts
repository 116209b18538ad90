/** The width of the bar, in characters. */
const BAR_WIDTH = 24;

/** The longest phase has its bar where the others have theirs. */
const PHASE_WIDTH = 'waiting for nodes'.length;

interface Progress {
  readonly phase: string;
  readonly answered: number;
  readonly expected: number;
}

/** A phase of a command on one line: `prepare            ██████████░░░░░░░░░░░░░░ 12/30`. */
export function progressLine({ phase, answered, expected }: Progress): string {
  const share = expected === 0 ? 1 : Math.min(1, answered / expected);
  const filled = Math.floor(share * BAR_WIDTH);
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
  return `${phase.padEnd(PHASE_WIDTH)} ${bar} ${answered}/${expected}`;
}
