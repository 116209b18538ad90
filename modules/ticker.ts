/** Time between two ticks, milliseconds. */
const PERIOD = 1_000;

/** The number of ticks and the time of the next one. They survive every push. */
const data = import.meta.hot.dataOf({ ticks: 0, due: performance.now() + PERIOD });

function wait(): void {
  // The timer ends with this version. The next version starts its own.
  setTimeout(tick, data.due - performance.now());
}

function tick(): void {
  data.ticks += 1;
  data.due += PERIOD;
  wait();
}

wait();

/** The number of ticks of all versions together. */
export function ticks(): number {
  return data.ticks;
}
