const data = import.meta.hot.data as { ticks?: number; due?: number };

/** How often it ticks, milliseconds. */
const PERIOD = 1_000;

/** The next tick is due then, whichever version makes it. */
let due = (data.due ??= performance.now() + PERIOD);

function wait(): void {
  // The timer dies with this version; the next version starts its own.
  setTimeout(tick, due - performance.now());
}

function tick(): void {
  data.ticks = ticks() + 1;
  data.due = due += PERIOD;
  wait();
}

wait();

/** How many times it has ticked, over all its versions. */
export function ticks(): number {
  return data.ticks ?? 0;
}
