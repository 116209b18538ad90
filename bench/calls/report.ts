import { hotCallsText } from '../runtime/calls-report.ts';
import { count, section, table } from '../table.ts';
import type { CallFigures } from './calls.ts';

export function callsText({ hot, nats }: CallFigures): string {
  return [
    hotCallsText(hot),
    section(
      'A call over NATS: a node beside a service of @nats-io/services',
      'Ratios to the service, of the same round. _Work_ is the processor time of the service for a call, divided by that of the server. Of 16 ' +
        'calls at a time.',
      table(
        'server | requests/s | work | p99 | requests/s | µs of processor | p99 (ms)',
        nats.map(({ server, ratios, perSecond, cpuUs, p99 }) => [
          [server, ratios.perSecond, 1 / ratios.cpuUs, ratios.p99],
          [count(Math.round(perSecond.p50)), cpuUs.p50, p99.p50],
        ]),
      ),
    ),
  ].join('\n\n');
}
