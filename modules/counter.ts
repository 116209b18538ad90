const { data } = import.meta.hot;

/** Adds to a count that survives every swap of this module, and gives the new count. */
export function increment(by = 1): number {
  const count = current() + by;
  data['count'] = count;
  return count;
}

export function current(): number {
  return typeof data['count'] === 'number' ? data['count'] : 0;
}
