import { monitorEventLoopDelay } from 'node:perf_hooks';

import { Gauge, type Registry } from 'prom-client';

/**
 * For `collectDefaultMetrics`: how often prom-client samples the delay of the event loop (milliseconds). It does so by a timer, every 10 ms
 * by default, which takes an idle node 0.35 % of a core. So it hardly ever does.
 */
export const TIMER_MS = 2 ** 31 - 1;

const NAME = 'nodejs_eventloop_lag';

/** The metrics of prom-client that its timer makes. */
const PARTS = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'] as const;

/**
 * Puts the delay of the event loop since the last reading into a registry, in place of prom-client's own. It is measured once each turn, which
 * costs an idle node nothing.
 */
export function eventLoopDelay(registry: Registry): { readonly observe: () => void } & Disposable {
  const delay = monitorEventLoopDelay({ samplePerIteration: true });
  delay.enable();
  const gauges = PARTS.map(part => {
    const name = `${NAME}_${part}_seconds`;
    registry.removeSingleMetric(name);
    const help = `The delay of the event loop since the last reading: ${part}.`;
    return [part, new Gauge({ name, help, registers: [registry] })] as const;
  });
  return {
    observe: () => {
      const values = {
        min: delay.min,
        max: delay.max,
        mean: delay.mean,
        stddev: delay.stddev,
        p50: delay.percentile(50),
        p90: delay.percentile(90),
        p99: delay.percentile(99),
      };
      // Without a turn since then, there is nothing to tell.
      for (const [part, gauge] of gauges) gauge.set(delay.count === 0 ? 0 : values[part] / 1e9);
      delay.reset();
    },
    [Symbol.dispose]: () => void delay.disable(),
  };
}
