import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

import { kilobytes } from './report.ts';
import { HOTCAST, type Results } from './results.ts';
import { TARGET_BYTES } from './targets.ts';

/** Wide enough for a README (pixels). */
const WIDTH = 560;

/** Where bars on a log scale begin (milliseconds). */
const LEAST = 0.5;

/** The plots of a run, one below the other, as an SVG; null when it has nothing to plot. */
export async function plotOf(results: Results): Promise<string | null> {
  const plots = [pushPlot(results), phasePlot(results), scalePlot(results)].flatMap(plot =>
    plot === null ? [] : [plot],
  );
  if (plots.length === 0) return null;
  const spec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    // Its own, so that the text can be read on pages of any colour.
    background: '#ffffff',
    padding: 16,
    vconcat: plots,
    resolve: { scale: { color: 'independent' } },
    config: {
      font: 'sans-serif',
      title: { anchor: 'start', frame: 'group', fontSize: 14 },
      legend: { labelLimit: 260 },
      view: { stroke: null },
    },
  } as TopLevelSpec;
  return new View(parse(compile(spec).spec), { renderer: 'none' }).toSVG();
}

function pushPlot({ push, nodes }: Results): object | null {
  if (push === null) return null;
  const values = push.map(({ contender, bytes, ms }) => ({
    contender,
    code: kilobytes(bytes),
    ms: ms.p50,
    p99: ms.p99,
  }));
  const contenders = [...new Set(values.map(({ contender }) => contender))];
  const common = {
    y: { field: 'contender', type: 'nominal', sort: contenders, title: null },
    yOffset: { field: 'code', sort: null },
  };
  return {
    title: `Push to ${nodes} containers, every answer in hand (bar: median, tick: p99)`,
    width: WIDTH,
    height: { step: 14 },
    data: { values },
    layer: [
      {
        mark: 'bar',
        encoding: {
          ...common,
          x: { field: 'ms', type: 'quantitative', scale: { type: 'log', domainMin: LEAST, nice: false }, title: 'ms' },
          x2: { datum: LEAST },
          color: { field: 'code', type: 'nominal', sort: null, title: 'code' },
        },
      },
      { mark: { type: 'tick', color: '#333333' }, encoding: { ...common, x: { field: 'p99', type: 'quantitative' } } },
    ],
  };
}

/** The parts of complete pushes by size, and of an edit. */
function phasePlot({ push, edit }: Results): object | null {
  const pushes = (push ?? []).filter(({ contender }) => contender === HOTCAST);
  const bars = [
    ...pushes.map(({ bytes, phases }) => ({ what: `push, ${kilobytes(bytes)}`, phases })),
    ...(edit === null ? [] : [{ what: `edit to live, ${kilobytes(edit.bytes)}`, phases: edit.warm.phases }]),
  ];
  if (bars.length === 0) return null;
  const values = bars.flatMap(({ what, phases }) =>
    Object.entries(phases).map(([phase, ms], order) => ({ what, phase, ms, order })),
  );
  const phases = ['compile', 'prepare', 'write', 'commit', 'rest'].filter(name =>
    values.some(each => each.phase === name),
  );
  return {
    title: 'Where the time of a push goes (Hotcast, medians)',
    width: WIDTH,
    height: { step: 26 },
    data: { values: values.map(each => ({ ...each, order: phases.indexOf(each.phase) })) },
    mark: 'bar',
    encoding: {
      y: { field: 'what', type: 'nominal', sort: null, title: null },
      x: { field: 'ms', type: 'quantitative', title: 'ms' },
      color: { field: 'phase', type: 'nominal', sort: phases, title: 'part' },
      order: { field: 'order' },
    },
  };
}

function scalePlot({ scale }: Results): object | null {
  if (scale === null) return null;
  const values = [
    ...scale.containers.map(({ nodes, push }) => ({ nodes, ms: push.ms.p50, what: 'push, containers' })),
    ...scale.simulated.flatMap(({ nodes, pushes }) =>
      pushes
        .filter(({ bytes }) => bytes === TARGET_BYTES)
        .flatMap(({ push, bare }) => [
          { nodes, ms: push.median, what: 'push, simulated' },
          { nodes, ms: bare.median, what: 'bare round trip, simulated' },
        ]),
    ),
  ];
  return {
    title: `Push of ${kilobytes(TARGET_BYTES)} by the size of the fleet (medians, log scales)`,
    width: WIDTH,
    height: 220,
    data: { values },
    mark: { type: 'line', point: true },
    encoding: {
      x: { field: 'nodes', type: 'quantitative', scale: { type: 'log' }, title: 'nodes' },
      y: { field: 'ms', type: 'quantitative', scale: { type: 'log' }, title: 'ms' },
      color: { field: 'what', type: 'nominal', sort: null, title: null },
    },
  };
}
