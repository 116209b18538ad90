import { setTimeout as pause } from 'node:timers/promises';

import type { PushResult } from '../controller/src/api/results.ts';
import { figuresOf, mediansOf } from './stats.ts';

/** The times of one push to a whole fleet (milliseconds). */
export interface PushSample {
  /** From the order to push until the last node's answer. */
  readonly ms: number;
  /** From the first node's switch to the last one's, on the machine's one clock; null where nothing switches. */
  readonly skew: number | null;
  /** The known parts of `ms`, in their order. */
  readonly phases: Readonly<Record<string, number>>;
}

/** A way to bring new code to every node of a fleet, measured beside others. */
export interface Contender {
  /** Its name in tables. */
  readonly name: string;
  /** How long it goes on working after a push (milliseconds; default: 0). Nobody is timed meanwhile. */
  readonly pauseMs?: number;
  /**
   * Makes a new version of a module with this many bytes of loadable code, which is not timed, and pushes it.
   *
   * @throws Error when a node refuses or does not answer.
   */
  push(bytes: number): Promise<PushSample>;
}

/** The pushes of one contender and size (milliseconds). */
export type PushFigures = ReturnType<typeof pushFigures>;

interface RoundsOptions {
  readonly contenders: readonly Contender[];
  readonly sizes: readonly number[];
  /** Pushes of each contender and size that count, and pushes before them that do not. */
  readonly rounds: number;
  readonly warmUp: number;
  readonly onRound?: (round: number) => void;
}

/**
 * Lets contenders take turns: in each round every contender pushes every size, and each round begins with another one.
 *
 * @throws Error that names the contender and the size when a push fails.
 */
export async function pushInRounds(options: RoundsOptions): Promise<PushFigures[]> {
  const { contenders, sizes, rounds, warmUp, onRound } = options;
  const rows = sizes.map(bytes => contenders.map(contender => ({ contender, bytes, samples: [] as PushSample[] })));
  for (let round = 1 - warmUp; round <= rounds; round += 1) {
    onRound?.(round);
    const first = (round + warmUp) % contenders.length;
    for (const row of rows) {
      for (const { contender, bytes, samples } of [...row.slice(first), ...row.slice(0, first)]) {
        const sample = await contender.push(bytes).catch((cause: unknown) => {
          throw new Error(`${contender.name} failed at a push of ${bytes} bytes: ${String(cause)}`, { cause });
        });
        if (round > 0) samples.push(sample);
        await pause(contender.pauseMs ?? 0);
      }
    }
  }
  return rows.flat().map(({ contender, bytes, samples }) => pushFigures(contender.name, bytes, samples));
}

export function pushFigures(contender: string, bytes: number, samples: readonly PushSample[]) {
  const ms = samples.map(sample => sample.ms);
  const skew = samples.flatMap(sample => sample.skew ?? []);
  return {
    contender,
    bytes,
    ms: figuresOf(ms),
    skew: skew.length === 0 ? null : figuresOf(skew),
    /** Medians of the parts; their sum is not the median of `ms`. */
    phases: mediansOf(samples.map(({ phases }) => phases)),
    /** Of every push, in their order. */
    samples: { ms, skew },
  };
}

/** Returns the result of a push. @throws Error when it was not committed, or not loaded on so many nodes. */
export function loadedOn(nodes: number, result: PushResult): PushResult {
  const { outcome, detail, nodes: outcomes } = result;
  const loaded = outcomes.filter(({ status }) => status === 'loaded').length;
  if (outcome === 'committed' && loaded === nodes) return result;
  throw new Error(`${outcome}, loaded on ${loaded} of ${nodes} nodes: ${detail}`);
}
