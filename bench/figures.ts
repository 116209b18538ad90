import type { PushSample } from './contender.ts';
import { median, percentile } from './runtime/numbers.ts';

/** What is left of a number of samples. With less than a hundred of them, p99 is the largest. */
export interface Figures {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
}

export function figuresOf(values: readonly number[]): Figures {
  return { count: values.length, p50: median(values), p99: percentile(values, 0.99) };
}

/** What the pushes of one contender and size came to; milliseconds. */
export interface PushFigures {
  readonly contender: string;
  /** Of loadable code. */
  readonly bytes: number;
  readonly ms: Figures;
  /** Null where nothing switches, or it is not known when. */
  readonly skew: Figures | null;
  /** Medians of the parts of `ms`; their sum is not the median of `ms`. */
  readonly phases: Readonly<Record<string, number>>;
  /** Of every push, in their order, to the microsecond. */
  readonly samples: { readonly ms: readonly number[]; readonly skew: readonly (number | null)[] };
}

export function pushFigures(contender: string, bytes: number, samples: readonly PushSample[]): PushFigures {
  const skews = samples.flatMap(({ skew }) => (skew === null ? [] : [skew]));
  return {
    contender,
    bytes,
    ms: figuresOf(samples.map(({ ms }) => ms)),
    skew: skews.length === 0 ? null : figuresOf(skews),
    phases: phaseMedians(samples.map(({ phases }) => phases)),
    samples: {
      ms: samples.map(({ ms }) => rounded(ms)),
      skew: samples.map(({ skew }) => (skew === null ? null : rounded(skew))),
    },
  };
}

/** The median of each part, in the order of the first sample. */
export function phaseMedians(samples: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = Object.keys(samples[0] ?? {});
  return Object.fromEntries(names.map(name => [name, median(samples.map(sample => sample[name] ?? NaN))]));
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
