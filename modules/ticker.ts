const { data } = import.meta.hot;

/** How often it ticks, milliseconds. */
const PERIOD = 1003;

// The timer dies with this version; the next version starts its own.
setInterval(() => {
  data['ticks'] = ticks() + 1;
}, PERIOD);

/** How many times it has ticked, over all its versions. */
export function ticks(): number {
  return typeof data['ticks'] === 'number' ? data['ticks'] : 0;
}
// 1
// 2
// 3
