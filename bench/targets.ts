import { ERLANG, HOTCAST, OLDER, pushesOf, type Results, TARGET_BYTES, TWICE } from './results.ts';
import { hotCallGoals } from './runtime/calls-report.ts';
import { OWN, type CaseFigures } from './http/http.ts';
import type { PushFigures } from './rounds.ts';
import { digits, kilobytes } from './table.ts';

/** Whether a run reached a target, and a line about it. */
export type Target = readonly [reached: boolean, text: string];

/** The targets that were measured, by medians. */
export function targetsOf(results: Results): Target[] {
  const [own, erlang, twice] = [HOTCAST, ERLANG, TWICE].map(name => pushesOf(results, name, TARGET_BYTES));
  const floor = twice?.ms.p50;
  const large = results.scale?.simulated.find(({ nodes }) => nodes === 10_000);
  const served = results.restarts?.contenders.find(({ contender }) => contender.startsWith(HOTCAST));
  const cost = results.cost?.find(({ contender }) => contender === HOTCAST);
  const { calls, joining, edit, tail, console, idle } = results;
  return [
    ...(results.http?.cases ?? []).map(httpTargets),
    ...(calls === null ? [] : [hotCallGoals(calls.hot)]),
    ...(results.push ?? []).filter(({ contender }) => contender === HOTCAST).map(each => pushTargets(each, results)),
    ratio("the skew of 10 KB is ≤ 0.25 of Erlang's", own?.skew?.p50, erlang?.skew?.p50, 0.25),
    ratio('the first push of a process takes ≤ 1.5 of a later one', cost?.firstMs, own?.ms.p50, 1.5),
    ratio('a push after a pause takes ≤ 1.5 of later ones', idle?.rested.first.ms, idle?.rested.later.ms, 1.5),
    limit(
      'a node with 200 modules starts ≤ 500 ms after one without',
      joining && joining.all.ready.p50 - joining.none.ready.p50,
      500,
      'ms',
    ),
    limit('a status of 200 modules takes ≤ 100 ms', joining?.status.p50, 100, 'ms'),
    limit('make push takes ≤ 200 ms', edit?.command.wall.p50, 200, 'ms'),
    limit('of it the cluster ≤ 25 ms', edit?.command.cluster.p50, 25, 'ms', floor),
    limit('make dev, edit to live takes ≤ 60 ms', edit?.dev.wall.p50, 60, 'ms', floor),
    limit('make dev, edit of 1 KB to live takes ≤ 60 ms', edit?.small.wall.p50, 60, 'ms', floor),
    limit('a push takes ≤ 1.1× with a tail', tail && tail.shown.p50 / tail.without.p50, 1.1, '×'),
    limit('a tail grows no container by more than 20 MB', tail && tail.grown / 1e6, 20, 'MB'),
    limit('a push takes ≤ 1.05× with the console', console && console.shown.p50 / console.without.p50, 1.05, '×'),
    limit('an idle console takes ≤ 1 % of a core', console && console.idle.alone * 100, 1, '%'),
    limit('a push to 10,000 simulated nodes takes ≤ 1 s', large?.push.p50, 1_000, 'ms', large && 2 * large.bare.p50),
    limit('no call fails during pushes', served?.during.failed, 0, 'failed'),
    limit('an idle node has ≤ 45 MB', cost && cost.idle.memory.p50 / 1e6, 45, 'MB'),
  ].flat();
}

/** The greatest share of the older checkout's time and processor time, and of Erlang's time, by size in bytes. */
const OF_OLDER = 0.65;
const OF_ERLANG: Readonly<Record<number, number>> = { 102_400: 0.75 };

function pushTargets({ bytes, ms }: PushFigures, results: Results): Target[] {
  const what = `a push of ${kilobytes(bytes)}`;
  const [erlang, older] = [ERLANG, OLDER].map(name => pushesOf(results, name, bytes)?.ms);
  const [work, olderWork] = [HOTCAST, OLDER].map(name =>
    results.work?.find(each => each.contender === name && each.bytes === bytes),
  );
  const ofErlang = OF_ERLANG[bytes] ?? 1;
  return [
    ratio(`${what} takes ≤ ${OF_OLDER} of the other checkout's`, ms.p50, older?.p50, OF_OLDER),
    ratio(`of a node's processor ≤ ${OF_OLDER}`, work?.node.p50, olderWork?.node.p50, OF_OLDER),
    ratio(`${what} takes ≤ ${ofErlang} of an Erlang multicall`, ms.p50, erlang?.p50, ofErlang),
    ratio("its p99 is ≤ Erlang's", ms.p99, erlang?.p99),
    ratio('its p99 is ≤ 2.5 of its median', ms.p99, ms.p50, 2.5),
  ].flat();
}

/** The least share of the reference's requests that a hot module has to serve. */
const HTTP_SHARES: Readonly<Record<string, number>> = { 'node-server': 0.9, 'node:http': 0.6, ws: 0.8 };

function httpTargets({ case: name, reference, servers }: CaseFigures): Target[] {
  const own = servers.find(({ server }) => server === OWN);
  const share = HTTP_SHARES[reference];
  if (own === undefined || share === undefined) return [];
  const { perSecond, p99 } = own.ratios;
  const served: Target = [
    perSecond >= share,
    `${name}: ≥ ${share} of the requests that ${reference} serves: ${digits(perSecond)}`,
  ];
  return reference === 'node-server' ? [served, [p99 <= 1, `${name}: its p99 ≤ 1: ${digits(p99)}`]] : [served];
}

function limit(text: string, value: number | null | undefined, most: number, unit: string, floor?: number): Target[] {
  if (value === undefined || value === null) return [];
  const shown = Number.isInteger(value) ? String(value) : digits(value);
  return [[value <= most, `${text}: ${shown} ${unit}${below(most, floor)}`]];
}

function ratio(text: string, own?: number, other?: number, most = 1): Target[] {
  if (own === undefined || other === undefined) return [];
  return [[own <= other * most, `${text}: ${digits(own)} and ${digits(other)} ms, ${digits(own / other)}`]];
}

/** A note for a target that no push in two phases over NATS can reach here: two bare round trips take longer. */
function below(most: number, floor = 0): string {
  if (floor <= most) return '';
  return ` (out of reach here: that is ${digits(most)} ms, and two bare round trips take ${digits(floor)})`;
}
