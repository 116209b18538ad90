/** How often it ticks, milliseconds. */
const PERIOD = 1_000;

/** How many times it has ticked, and when it will again, whichever version does it. */
const data = import.meta.hot.dataOf({ ticks: 0, due: performance.now() + PERIOD });

function wait(): void {
  // The timer dies with this version; the next version starts its own.
  setTimeout(tick, data.due - performance.now());
}

function tick(): void {
  data.ticks += 1;
  data.due += PERIOD;
  wait();
}

wait();

/** How many times it has ticked, over all its versions. */
export function ticks(): number {
  return data.ticks;
}
