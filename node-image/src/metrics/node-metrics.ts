import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

import type { CodeServer } from '../modules/code-server.ts';
import type { Packages } from '../packages/packages.ts';
import { eventLoopDelay, TIMER_MS } from './event-loop-delay.ts';

/** Seconds. Most calls take less than a millisecond. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What the metrics of a node are made of. */
export interface MetricsDeps {
  readonly node: string;
  readonly codeServer: Pick<CodeServer, 'describe' | 'onEnded' | 'owned' | 'changes'>;
  readonly packages: Pick<Packages, 'exportsOf'>;
}

/**
 * The metrics of one node in Prometheus's text format, with those that its modules have registered with `prom-client`. Calls are
 * counted from now on. Labels are bounded by the modules that run.
 */
export function nodeMetrics({ node, codeServer, packages }: MetricsDeps) {
  const registry = new Registry();
  registry.setDefaultLabels({ node });
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: TIMER_MS });
  const delay = eventLoopDelay(registry);
  const registers = [registry];
  const counter = <T extends string>(name: string, help: string, labelNames: readonly T[] = []): Counter<T> =>
    new Counter({ name: `hotcast_node_${name}`, help, labelNames, registers });
  const gauge = <T extends string>(name: string, help: string, labelNames: readonly T[]): Gauge<T> =>
    new Gauge({ name: `hotcast_node_${name}`, help, labelNames, registers });

  const durations = new Histogram({
    name: 'hotcast_node_call_duration_seconds',
    help: 'The time that calls take, and requests until their responses are sent.',
    labelNames: ['module'],
    buckets: BUCKETS,
    registers,
  });
  const errors = counter('call_errors_total', 'Calls and requests that failed.', ['module']);
  const responses = counter('http_responses_total', 'HTTP responses, by status.', ['module', 'code']);
  const changes = counter('module_changes_total', 'Modules that were loaded, swapped or removed.');
  const inFlight = gauge('calls_in_flight', 'Calls and requests that run.', ['module']);
  const versions = gauge('versions', 'Versions of a module: the current one, and those that drain.', [
    'module',
    'state',
  ]);
  const timers = gauge('timers', 'Pending timers of the versions of a module.', ['module']);
  const sockets = gauge('sockets', 'Connections that the versions of a module have opened.', ['module']);
  const code = gauge('code_bytes', 'The size of the code of the current version.', ['module']);

  /** The statuses of the responses of each module that was counted. */
  const counted = new Map<string, Set<string>>();
  codeServer.onEnded((module, { startedAt, failed, status }) => {
    const codes = counted.get(module) ?? new Set();
    counted.set(module, codes);
    // A call that started before somebody asked has no start.
    if (startedAt > 0) durations.observe({ module }, (performance.now() - startedAt) / 1_000);
    if (failed) errors.inc({ module });
    if (status === null) return;
    responses.inc({ module, code: String(status) });
    codes.add(String(status));
  });
  const forgetAllBut = (running: ReadonlySet<string>): void => {
    for (const [module, codes] of counted) {
      if (running.has(module)) continue;
      counted.delete(module);
      durations.remove({ module });
      errors.remove({ module });
      for (const each of codes) responses.remove({ module, code: each });
    }
  };

  const observe = (): void => {
    delay.observe();
    for (const metric of [changes, inFlight, versions, timers, sockets, code]) metric.reset();
    changes.inc(codeServer.changes);
    const { owned } = codeServer;
    forgetAllBut(new Set(owned.map(({ version: { module } }) => module)));
    for (const { version, ...open } of owned) {
      const { module, drainingSince, calls } = version;
      const isCurrent = drainingSince === null;
      versions.inc({ module, state: isCurrent ? 'current' : 'draining' });
      inFlight.inc({ module }, calls);
      timers.inc({ module }, open.timers);
      sockets.inc({ module }, open.sockets);
      if (isCurrent) code.set({ module }, version.code().length);
    }
  };

  return {
    contentType: registry.contentType,
    text: async (): Promise<string> => {
      observe();
      const texts = [registry, ...registriesOf(packages.exportsOf('prom-client'))].map(each => each.metrics());
      return (await Promise.all(texts)).join('\n');
    },
    [Symbol.dispose]: (): void => {
      codeServer.onEnded(null);
      delay[Symbol.dispose]();
      registry.clear();
    },
  };
}

/** The default registries of the instances of `prom-client` that modules use. */
function registriesOf(exported: readonly unknown[]): ReadonlySet<Pick<Registry, 'metrics'>> {
  return new Set(
    exported.flatMap(each => {
      const register: unknown = isRecord(each) ? each['register'] : undefined;
      return isRecord(register) && typeof register['metrics'] === 'function' ? [register as unknown as Registry] : [];
    }),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
