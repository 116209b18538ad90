import { BARE, ERLANG, HOTCAST, pushesOf, type Results, TWICE } from './results.ts';
import { digits } from './table.ts';

/** A promise of the project, and what a run says of it. */
export interface Target {
  readonly text: string;
  readonly reached: boolean;
}

/** The size that targets are said for (bytes). */
export const TARGET_BYTES = 10_240;

const SHARE_OF_ERLANG = 1 / 8;
const TIMES_BARE = 2;
const SHARE_OF_SKEW = 1 / 4;
const COMMAND = 400;
const CLUSTER = 25;
const WARM = 60;
const LARGE_FLEET = 10_000;
const LARGE_FLEET_MAY_TAKE = 1_000;
const IDLE_MEMORY = 45_000_000;

/** What was measured of the targets, by medians; nothing of those that were not. */
export function targetsOf(results: Results): Target[] {
  const own = pushesOf(results, HOTCAST, TARGET_BYTES);
  const erlang = pushesOf(results, ERLANG, TARGET_BYTES);
  const bare = pushesOf(results, BARE, TARGET_BYTES);
  const twice = pushesOf(results, TWICE, TARGET_BYTES)?.ms.p50;
  const large = results.scale?.simulated.find(({ nodes }) => nodes === LARGE_FLEET);
  const pushed = large?.pushes.find(({ bytes }) => bytes === TARGET_BYTES);
  const served = results.restarts?.contenders.find(({ contender }) => contender.startsWith(HOTCAST));
  const idle = results.cost?.idle.find(({ contender }) => contender === HOTCAST);
  const { edit } = results;
  return [
    ...ratio(
      `a complete push of 10 KB takes ≤ 1/8 of Erlang's acknowledged load`,
      own?.ms.p50,
      erlang?.ms.p50,
      SHARE_OF_ERLANG,
      twice,
    ),
    ...ratio('a complete push of 10 KB takes ≤ 2× the bare round trip', own?.ms.p50, bare?.ms.p50, TIMES_BARE, twice),
    ...ratio(`its skew is ≤ 1/4 of Erlang's`, own?.skew?.p50, erlang?.skew?.p50, SHARE_OF_SKEW),
    ...limit(`make push takes ≤ ${COMMAND} ms`, edit?.command.wall.p50, COMMAND, 'ms'),
    ...limit(`of it the cluster ≤ ${CLUSTER} ms`, edit?.command.cluster.p50, CLUSTER, 'ms', twice),
    ...limit(`controller warm, edit to live takes ≤ ${WARM} ms`, edit?.warm.wall.p50, WARM, 'ms', twice),
    ...limit(
      `${LARGE_FLEET} simulated nodes are pushed to in ≤ 1 s`,
      pushed?.push.median,
      LARGE_FLEET_MAY_TAKE,
      'ms',
      pushed === undefined ? undefined : 2 * pushed.bare.median,
    ),
    ...limit('no call fails during pushes', served?.during.failed, 0, 'failed'),
    ...limit(
      'an idle node has ≤ 45 MB',
      idle === undefined ? undefined : idle.memory.p50 / 1e6,
      IDLE_MEMORY / 1e6,
      'MB',
    ),
  ];
}

function limit(text: string, value: number | undefined, most: number, unit: string, floor?: number): Target[] {
  if (value === undefined) return [];
  const said = `${text}: ${Number.isInteger(value) ? value : digits(value)} ${unit}${below(most, floor)}`;
  return [{ text: said, reached: value <= most }];
}

function ratio(
  text: string,
  own: number | undefined,
  other: number | undefined,
  most: number,
  floor?: number,
): Target[] {
  if (own === undefined || other === undefined) return [];
  const said = most < 1 ? `1/${digits(other / own)}` : `${digits(own / other)}×`;
  const figures = `${digits(own)} and ${digits(other)} ms, ${said}`;
  return [{ text: `${text}: ${figures}${below(other * most, floor)}`, reached: own <= other * most }];
}

/**
 * That no push in two phases over NATS with these clients reaches a target here: it is less than two bare round trips of the
 * same run take (of simulated nodes: twice what one takes).
 */
function below(most: number, floor: number | undefined): string {
  if (floor === undefined || floor <= most) return '';
  return ` (out of reach here: that is ${digits(most)} ms, and two bare round trips take ${digits(floor)})`;
}
