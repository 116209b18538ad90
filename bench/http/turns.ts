import { median } from 'simple-statistics';

import { type Figures, figuresOf } from '../stats.ts';
import type { Turn } from './main.ts';

/** What a server did in its turns. */
export interface ServerFigures {
  readonly server: string;
  readonly perSecond: Figures;
  /** Processor time of the server for a request or a call (microseconds). */
  readonly cpuUs: Figures;
  /** Milliseconds. */
  readonly p99: Figures;
  /** To the reference: medians of the ratios of each round. */
  readonly ratios: Readonly<Record<keyof Turn, number>>;
}

/** @param reference the turns of the server that it is compared with; the same index is the same round. */
export function serverFigures(server: string, turns: readonly Turn[], reference: readonly Turn[]): ServerFigures {
  const of = (what: keyof Turn): Figures => figuresOf(turns.map(turn => turn[what]));
  const ratio = (what: keyof Turn): number =>
    median(turns.map((turn, round) => turn[what] / (reference[round]?.[what] ?? NaN)));
  return {
    server,
    perSecond: of('perSecond'),
    cpuUs: of('cpuUs'),
    p99: of('p99'),
    ratios: { perSecond: ratio('perSecond'), cpuUs: ratio('cpuUs'), p99: ratio('p99') },
  };
}
