import { median } from 'simple-statistics';

import { count, digits, section, table } from '../table.ts';
import { type CaseFigures, type CaseServer, type HttpFigures, OTHER, OWN } from './http.ts';
import type { Turn } from './main.ts';

/** Ratios first: those of each server to the reference of its case, and the figures below. */
export function httpText({ cases, rss }: HttpFigures): string {
  const rounds = cases[0]?.servers[0]?.turns.length ?? 0;
  return section(
    'HTTP and WebSocket: a hot module beside plain servers',
    `Ratios to the reference, of the same round; medians of ${rounds} rounds in turns, one load generator beside the servers. ` +
      '_Work_ is the processor time of the reference for a request, divided by that of the server.',
    beforeAndAfter(cases),
    table(
      ' | server | requests/s | work | p99 of an answer',
      cases.flatMap(each => compared(each).map(server => [each.case, server.server, ...ratiosOf(server)])),
    ),
    table(
      ' | server | requests/s | µs of processor | p99 (ms)',
      cases.flatMap(each =>
        each.servers.map(({ server, perSecond, cpuUs, p99 }) => {
          return [each.case, server, count(Math.round(perSecond.p50)), cpuUs.p50, p99.p50];
        }),
      ),
    ),
    `Resident memory at the end (MB): ${Object.entries(rss)
      .map(([server, bytes]) => `${server} ${digits(bytes / 1e6)}`)
      .join(', ')}`,
  );
}

/** The ratios of this checkout to another one; nothing when none was measured. */
function beforeAndAfter(cases: readonly CaseFigures[]): string {
  const rows = cases.flatMap(({ case: name, servers }) => {
    const [after, before] = [OWN, OTHER].map(own => servers.find(({ server }) => server === own)?.turns);
    if (after === undefined || before === undefined) return [];
    const ratio = (what: keyof Turn): number =>
      median(after.map((turn, round) => turn[what] / (before[round]?.[what] ?? NaN)));
    return [[name, ratio('perSecond'), 1 / ratio('cpuUs'), ratio('p99')]];
  });
  return rows.length === 0 ? '' : table('after / before | requests/s | work | p99 of an answer', rows);
}

function compared({ servers, reference }: CaseFigures): CaseServer[] {
  return servers.filter(({ server }) => server !== reference);
}

function ratiosOf({ ratios }: CaseServer): number[] {
  return [ratios.perSecond, 1 / ratios.cpuUs, ratios.p99];
}
