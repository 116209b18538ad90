import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

import { REFERENCES } from './http/http.ts';
import { HOTCAST, type Results } from './results.ts';
import { kilobytes } from './table.ts';

/** The beginning of bars on a log scale (milliseconds). */
const LEAST = 0.5;

/** The plots of a run, one below the other, as an SVG; null when there is nothing to plot. */
export async function plotOf(results: Results): Promise<string | null> {
  const plots = [httpPlot(results), pushPlot(results), phasePlot(results), scalePlot(results)].filter(
    ({ data }) => data.values.length > 0,
  );
  if (plots.length === 0) return null;
  const spec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    // Its own, so that the text is legible on pages of any colour.
    background: '#ffffff',
    padding: 16,
    vconcat: plots.map(plot => ({ width: 560, ...plot })),
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

/** A field as names, in the order of the data, or as an amount. */
const nominal = (field: string, title: string | null = null) => ({ field, type: 'nominal', sort: null, title });
const amount = (field: string, scale: object = {}) => ({ field, type: 'quantitative', title: field, scale });

/** Servers beside the reference of their case, whose requests a second are 1. */
function httpPlot({ http }: Results) {
  const values = (http?.cases ?? []).flatMap(({ case: name, reference, servers }) =>
    servers
      .filter(({ server }) => !REFERENCES.includes(server))
      .map(({ server, ratios }) => ({ what: `${name} (${reference})`, server, 'requests/s': ratios.perSecond })),
  );
  const y = nominal('what');
  return {
    title: 'HTTP and WebSocket: requests a second, those of a plain server (in brackets) are 1',
    height: { step: 12 },
    data: { values },
    layer: [
      {
        mark: 'bar',
        encoding: {
          y,
          yOffset: { field: 'server', sort: null },
          x: amount('requests/s'),
          color: nominal('server', 'server'),
        },
      },
      { mark: { type: 'rule', color: '#333333' }, encoding: { x: { datum: 1 } } },
    ],
  };
}

function pushPlot({ push, nodes }: Results) {
  const values = (push ?? []).map(({ contender, bytes, ms: { p50: ms, p99 } }) => {
    return { contender, code: kilobytes(bytes), ms, p99 };
  });
  const common = { y: nominal('contender'), yOffset: { field: 'code', sort: null } };
  const x = amount('ms', { type: 'log', domainMin: LEAST, nice: false });
  const bar = { ...common, x, x2: { datum: LEAST }, color: nominal('code', 'code') };
  const tick = { ...common, x: { field: 'p99', type: 'quantitative' } };
  return {
    title: `Push to ${nodes} containers, with every answer (bar: median, tick: p99)`,
    height: { step: 14 },
    data: { values },
    layer: [
      { mark: 'bar', encoding: bar },
      { mark: { type: 'tick', color: '#333333' }, encoding: tick },
    ],
  };
}

/** The parts of complete pushes by size, and of an edit. */
function phasePlot({ push, edit }: Results) {
  const pushes = (push ?? []).filter(({ contender }) => contender === HOTCAST);
  const bars = pushes.map(({ bytes, phases }) => ({ what: `push, ${kilobytes(bytes)}`, phases }));
  if (edit !== null) bars.push({ what: `edit to live, ${kilobytes(edit.bytes)}`, phases: edit.dev.phases });
  const order = ['compile', 'prepare', 'write', 'commit', 'rest'];
  const values = bars.flatMap(({ what, phases }) =>
    Object.entries(phases).map(([part, ms]) => ({ what, part, ms, order: order.indexOf(part) })),
  );
  const color = { ...nominal('part', 'part'), sort: order.filter(name => values.some(({ part }) => part === name)) };
  return {
    title: 'Where the time of a push goes (Hotcast, medians)',
    height: { step: 26 },
    data: { values },
    mark: 'bar',
    encoding: { y: nominal('what'), x: amount('ms'), color, order: { field: 'order' } },
  };
}

function scalePlot({ scale }: Results) {
  const { containers = [], simulated = [] } = scale ?? {};
  const values = [
    ...containers
      .filter(({ push }) => push.contender === HOTCAST)
      .map(({ nodes, push }) => ({ nodes, ms: push.ms.p50, what: 'push, containers' })),
    ...simulated.map(({ nodes, push }) => ({ nodes, ms: push.p50, what: 'push, simulated' })),
    ...simulated.map(({ nodes, bare }) => ({ nodes, ms: bare.p50, what: 'bare round trip, simulated' })),
  ];
  const log = { type: 'log' };
  return {
    title: 'Push of 10 KB by the size of the fleet (medians, log scales)',
    height: 220,
    data: { values },
    mark: { type: 'line', point: true },
    encoding: { x: amount('nodes', log), y: amount('ms', log), color: nominal('what') },
  };
}
