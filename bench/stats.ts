import { median, quantile } from 'simple-statistics';

/** The summary of samples. Percentiles are interpolated between the two nearest samples. */
export interface Figures {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
}

/** NaN for no samples. */
export function figuresOf(values: readonly number[]): Figures {
  if (values.length === 0) return { count: 0, p50: NaN, p99: NaN };
  return { count: values.length, p50: median([...values]), p99: quantile([...values], 0.99) };
}

/** The median of each field, in the order of the first record. */
export function mediansOf<K extends string>(records: readonly Readonly<Record<K, number>>[]): Record<K, number> {
  const names = Object.keys(records[0] ?? {}) as K[];
  const medians = names.map(name => [name, median(records.map(record => record[name]))]);
  return Object.fromEntries(medians) as Record<K, number>;
}
