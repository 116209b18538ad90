import type { CodeChange } from '@hotcast/types';

interface Data {
  count: number;
  /** When the count started, milliseconds since 1970. */
  since: number;
}

/** Belongs to the module, so it survives every push. */
const data = import.meta.hot.dataOf<Data>({ count: 0, since: Date.now() });

/** Adds to the count and returns the new count. */
export function increment(by = 1): number {
  return (data.count += by);
}

export function current(): number {
  return data.count;
}

export function since(): number {
  return data.since;
}

/** Accepts the data of earlier versions, which had no `since`. */
export const codeChange = (({ count = 0, since: began = Date.now() }) => ({
  count,
  since: began,
})) satisfies CodeChange<Partial<Data>, Data>;
