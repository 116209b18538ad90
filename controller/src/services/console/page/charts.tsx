import type { Fleet } from '../model/fleet.ts';
import type { PushTimes } from '../model/push-times.ts';
import { BUCKETS, totalOf, type Values } from '../model/series.ts';
import { count, duration } from './format.ts';
import { Ago, htmlOf, RevisionLink } from './glyph.tsx';

const WIDTH = 240;
const HEIGHT = 40;

/** The values of the last ten minutes as an area; a gap where nothing was heard. */
export const Chart = ({ values, label }: { readonly values: Values; readonly label: string }) => {
  const max = Math.max(1e-9, ...values.map(value => value ?? 0));
  const x = (index: number): string => ((index * WIDTH) / (BUCKETS - 1)).toFixed(1);
  const y = (value: number): string => (HEIGHT - 1 - (value / max) * (HEIGHT - 4)).toFixed(1);
  const runs: { readonly from: number; readonly values: number[] }[] = [];
  values.forEach((value, index) => {
    if (value === null) return;
    const last = runs.at(-1);
    if (last !== undefined && last.from + last.values.length === index) last.values.push(value);
    else runs.push({ from: index, values: [value] });
  });
  const lines = runs.map(({ from, values: run }) =>
    run.map((value, index) => `${x(from + index)} ${y(value)}`).join('L'),
  );
  const areas = runs.map(
    ({ from, values: run }, index) =>
      `M${x(from)} ${HEIGHT}L${lines[index] ?? ''}L${x(from + run.length - 1)} ${HEIGHT}Z`,
  );
  return (
    <svg class="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <path class="area" d={areas.join('')} />
      <path class="line" d={lines.map(line => `M${line}`).join('')} vector-effect="non-scaling-stroke" />
    </svg>
  );
};

/** The values of the last ten minutes as bars: what happens now and then is seen. */
const Bars = ({ values, label }: { readonly values: Values; readonly label: string }) => {
  const max = Math.max(1, ...values.map(value => value ?? 0));
  const width = WIDTH / BUCKETS;
  const bars = values.flatMap((value, index) => {
    if (value === null || value === 0) return [];
    const height = Math.max(4, (value / max) * (HEIGHT - 2));
    return `M${(index * width).toFixed(1)} ${HEIGHT}V${(HEIGHT - height).toFixed(1)}h${width}V${HEIGHT}z`;
  });
  return (
    <svg class="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <path class="bar-line" d={bars.join('')} />
    </svg>
  );
};

/** The bars of pushes stand on the right: the last one is at the edge. */
const BARS = 40;
const BAR_HEIGHT = 80;
const PHASES = ['compile', 'prepare', 'commit'] as const;

const PushBars = ({ pushes }: { readonly pushes: readonly PushTimes[] }) => {
  const max = Math.max(1, ...pushes.map(({ ms }) => ms));
  const first = BARS - pushes.length;
  return (
    <svg class="bars" viewBox={`0 0 ${BARS * 8} ${BAR_HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      {pushes.map((push, index) => {
        let top = BAR_HEIGHT;
        return (
          <g>
            <title>{pushText(push)}</title>
            {PHASES.map(phase => {
              const height = (push[phase] / max) * (BAR_HEIGHT - 2);
              top -= height;
              return (
                <rect
                  class={phase}
                  x={(first + index) * 8 + 1}
                  y={top.toFixed(2)}
                  width="6"
                  height={height.toFixed(2)}
                />
              );
            })}
          </g>
        );
      })}
    </svg>
  );
};

function pushText({ what, outcome, ms, ...phases }: PushTimes): string {
  return `${what}: ${outcome}, ${duration(ms)} (${PHASES.map(phase => `${phase} ${duration(phases[phase])}`).join(', ')})`;
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

const Pushes = ({ pushes }: Pick<Fleet, 'pushes'>) => {
  const last = pushes.at(-1);
  const times = pushes.map(({ ms }) => ms);
  return (
    <section class="pushes" aria-labelledby="pushes-title">
      <h2 id="pushes-title">Time of pushes</h2>
      {last === undefined && <p class="empty">No push since the console has started.</p>}
      {last !== undefined && (
        <figure>
          <PushBars pushes={pushes} />
          <figcaption>
            <p class="num">
              <b>{duration(last.ms)}</b> the last one, <Ago at={last.endedAt} /> · median {duration(medianOf(times))} ·
              slowest {duration(Math.max(...times))}
            </p>
            <p class="legend">
              {PHASES.map(phase => (
                <span>
                  <svg viewBox="0 0 8 8" aria-hidden="true">
                    <rect class={phase} width="8" height="8" />
                  </svg>
                  {phase} {duration(last[phase])}
                </span>
              ))}
            </p>
          </figcaption>
        </figure>
      )}
    </section>
  );
};

const ErrorsByRevision = ({ series: { errorsBy } }: Pick<Fleet, 'series'>) => {
  const rows = [...errorsBy]
    .map(([name, values]) => ({ name, values, total: totalOf(values) }))
    .toSorted((a, b) => b.total - a.total || (a.name < b.name ? -1 : 1));
  return (
    <section class="errors-by" aria-labelledby="errors-by-title">
      <h2 id="errors-by-title">Errors by revision</h2>
      {rows.length === 0 && <p class="empty">None in the last ten minutes.</p>}
      <ul>
        {rows.map(({ name, values, total }) => {
          const [module = '', revision = ''] = name.split('@');
          return (
            <li>
              <RevisionLink module={module} revision={revision} />
              <Bars values={values} label={`Errors of ${module}, last ten minutes`} />
              <b class="num hot">{count(total)}</b>
            </li>
          );
        })}
      </ul>
    </section>
  );
};

/** How long pushes took, and which revisions fail. */
export function chartsHtml({ pushes, series }: Pick<Fleet, 'pushes' | 'series'>): string {
  return htmlOf(
    <div id="charts" class="charts">
      <Pushes pushes={pushes} />
      <ErrorsByRevision series={series} />
    </div>,
  );
}
