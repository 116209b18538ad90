import type { CodeChange } from '@hotcast/types';

interface Data {
  count: number;
  /** When it began to count, milliseconds since 1970. */
  since: number;
}

/** Survives every swap of this module. */
const data = import.meta.hot.dataOf<Data>({ count: 0, since: Date.now() });

/** Adds to the count, and gives the new one. */
export function increment(by = 1): number {
  return (data.count += by);
}

export function current(): number {
  return data.count;
}

export function since(): number {
  return data.since;
}

/** Takes the data of earlier versions too, which had no `since`. */
export const codeChange = (({ count = 0, since: began = Date.now() }) => ({
  count,
  since: began,
})) satisfies CodeChange<Partial<Data>, Data>;
