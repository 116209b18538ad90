import { setTimeout as pause } from 'node:timers/promises';

import type { Contender, PushSample } from './contender.ts';
import { type PushFigures, pushFigures } from './figures.ts';

/** A contender that takes part in a comparison. */
export interface Entrant {
  readonly contender: Contender;
  /**
   * How long it goes on working after a push (milliseconds): nobody is timed meanwhile. Hotcast's controller starts the
   * process for its next preflight.
   */
  readonly aftermath: number;
}

export interface CompareOptions {
  readonly entrants: readonly Entrant[];
  readonly sizes: readonly number[];
  /** Pushes of each entrant and size that count. */
  readonly rounds: number;
  /** Pushes of each entrant and size before those, which do not. */
  readonly warmUp: number;
  /** Is told of each round, from 1. */
  readonly onRound?: (round: number) => void;
}

/**
 * Has contenders take turns: in each round every one pushes every size, and who begins changes from round to round.
 *
 * @throws Error that names the contender and the size when a push fails.
 */
export async function compare({ entrants, sizes, rounds, warmUp, onRound }: CompareOptions): Promise<PushFigures[]> {
  const taken = sizes.flatMap(bytes => entrants.map(entrant => ({ entrant, bytes, samples: [] as PushSample[] })));
  for (let round = 1 - warmUp; round <= rounds; round += 1) {
    onRound?.(round);
    for (const bytes of sizes) {
      const turns = taken.filter(each => each.bytes === bytes);
      for (const { entrant, samples } of rotated(turns, round + warmUp)) {
        const sample = await pushed(entrant.contender, bytes);
        if (round > 0) samples.push(sample);
        await pause(entrant.aftermath);
      }
    }
  }
  return taken.map(({ entrant, bytes, samples }) => pushFigures(entrant.contender.name, bytes, samples));
}

async function pushed(contender: Contender, bytes: number): Promise<PushSample> {
  try {
    return await contender.push(bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${contender.name} failed at a push of ${bytes} bytes: ${reason}`, { cause });
  }
}

function rotated<T>(values: readonly T[], by: number): T[] {
  const at = by % values.length;
  return [...values.slice(at), ...values.slice(0, at)];
}
