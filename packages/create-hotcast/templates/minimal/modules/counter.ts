// A call of a `hot:` import runs the current version of that module.
import { add } from 'hot:demo';

/** Belongs to the module, so it survives every push. */
const data = import.meta.hot.dataOf({ count: 0 });

/** Adds to the count of this node, and returns it. */
export function increment(by = 1): number {
  data.count = add(data.count, by);
  return data.count;
}
