import type { PushFigures } from './figures.ts';
import { HOTCAST, pushesOf, type Results } from './results.ts';
import { count, digits, goal, section, table } from './table.ts';
import { targetsOf } from './targets.ts';

/** All tables of a run, and what became of the targets. */
export function reportOf(results: Results): string {
  return [
    machineText(results),
    results.push === null ? '' : pushText(results, results.push),
    results.push === null ? '' : skewText(results.push),
    editText(results),
    restartsText(results),
    costText(results),
    scaleText(results),
    section(
      'Targets (medians)',
      targetsOf(results).map(({ reached, text }) => goal(reached, text)),
    ),
  ]
    .filter(text => text !== '')
    .join('\n\n');
}

function machineText({ machine, otp, at }: Results): string {
  const { cores, processor, memory, kernel, versions } = machine;
  const named = { ...versions, ...(otp === null ? {} : { otp }) };
  return section(`Measured ${at}`, [
    `  ${cores} cores, ${processor}, ${digits(memory / 2 ** 30)} GiB, ${kernel}`,
    `  ${Object.entries(named)
      .map(([name, version]) => `${name} ${version}`)
      .join(' · ')}`,
  ]);
}

function pushText(results: Results, push: readonly PushFigures[]): string {
  const sizes = [...new Set(push.map(({ bytes }) => bytes))];
  const row = (contender: string): string[] => [
    contender,
    ...sizes.flatMap(bytes => {
      const own = pushesOf(results, contender, bytes);
      const base = pushesOf(results, HOTCAST, bytes);
      return [
        digits(own?.ms.p50 ?? null),
        digits(own?.ms.p99 ?? null),
        `${digits((own?.ms.p50 ?? NaN) / (base?.ms.p50 ?? NaN))}×`,
      ];
    }),
  ];
  const names = [...new Set(push.map(({ contender }) => contender))];
  const heads = sizes.flatMap(bytes => [kilobytes(bytes), 'p99', '']);
  const counted = push[0]?.ms.count ?? 0;
  return section(
    `Push to ${results.nodes} containers, every answer in hand (ms: median, p99, median in Hotcast's; ${counted} each after ${results.warmUp} for warm-up)`,
    [table([['', ...heads], ...names.map(row)]), ...pushPhases(push)],
  );
}

function pushPhases(push: readonly PushFigures[]): string[] {
  return push
    .filter(({ contender }) => contender === HOTCAST)
    .map(({ bytes, phases }) => `  Hotcast, ${kilobytes(bytes)}: ${phaseText(phases)}`);
}

function skewText(push: readonly PushFigures[]): string {
  const rows = push.flatMap(({ contender, bytes, skew }) => {
    if (skew === null) return [];
    const base = push.find(each => each.contender === HOTCAST && each.bytes === bytes)?.skew?.p50 ?? NaN;
    return [[contender, kilobytes(bytes), digits(skew.p50), digits(skew.p99), `${digits(skew.p50 / base)}×`]];
  });
  return section("Skew: from the first node's switch to the last one's (ms)", [
    table([['', 'code', 'median', 'p99', ''], ...rows]),
  ]);
}

function editText({ edit, nodes }: Results): string {
  if (edit === null) return '';
  const { bytes, command, warm } = edit;
  return section(`From writing the file (${kilobytes(bytes)}, types checked) to live on ${nodes} nodes (ms)`, [
    table([
      ['', 'median', 'p99', 'of it the cluster', 'p99'],
      ...(
        [
          ['make push', command],
          ['controller warm', warm],
        ] as const
      ).map(([name, { wall, cluster }]) => [
        name,
        digits(wall.p50),
        digits(wall.p99),
        digits(cluster.p50),
        digits(cluster.p99),
      ]),
    ]),
    `  controller warm: ${phaseText(warm.phases)}`,
  ]);
}

function restartsText({ restarts }: Results): string {
  if (restarts === null) return '';
  const rows = restarts.contenders.map(({ contender, nodes, nodesReached, newCode, during, state }) => [
    contender,
    `${nodesReached < nodes ? '≈ ' : ''}${digits(newCode.p50)}`,
    digits(newCode.p99),
    count(during.failed),
    count(during.calls),
    digits(during.p99),
    digits(during.longestGap),
    `${state.nodesKept} of ${nodesReached}`,
    count(state.callsForgotten),
  ]);
  const heads = [
    'new code (ms)',
    'p99',
    'calls failed',
    'of',
    'call p99',
    'longest gap',
    'state kept',
    'calls forgotten',
  ];
  return section(`New code everywhere, under ${restarts.rate} calls a second`, [table([['', ...heads], ...rows])]);
}

function costText({ cost, nodes }: Results): string {
  if (cost === null) return '';
  const idle = cost.idle.map(({ contender, memory, rss, cpu, image, start }) => [
    contender,
    digits(memory.p50 / 1e6),
    digits(rss.p50 / 1e6),
    `${digits(cpu.p50 * 100)} %`,
    digits(image / 1e6),
    digits(start / 1_000),
  ]);
  const wire = cost.wire.map(({ contender, bytes, received, sent }) => [
    contender,
    kilobytes(bytes),
    digits(received / 1e3),
    digits(sent / 1e3),
  ]);
  return section('Cost', [
    table([['an idle node', 'memory (MB)', 'rss (MB)', 'CPU', 'image (MB)', `start of ${nodes} (s)`], ...idle]),
    table([['a push, at a node', 'code', 'received (kB)', 'sent (kB)'], ...wire]),
  ]);
}

function scaleText({ scale }: Results): string {
  if (scale === null) return '';
  const containers = scale.containers.map(({ nodes, push }) => [
    `${count(nodes)} containers`,
    kilobytes(push.bytes),
    digits(push.ms.p50),
    digits(push.ms.p99),
    digits((push.ms.p50 / nodes) * 1_000),
    '-',
    digits(push.skew?.p50 ?? null),
  ]);
  const simulated = scale.simulated.flatMap(({ nodes, pushes }) =>
    pushes.map(({ bytes, push, bare, skew }) => [
      `${count(nodes)} simulated`,
      kilobytes(bytes),
      digits(push.median),
      digits(push.p99),
      digits((push.median / nodes) * 1_000),
      digits(bare.median),
      digits(skew.median),
    ]),
  );
  const needs = scale.simulated.map(row => [
    count(row.nodes),
    digits(row.started.ms / 1_000),
    digits(row.memoryPerNode / 1e3),
    digits(row.natsMemoryPerNode / 1e3),
    digits(row.controllerMemory / 1e6),
    ...[row.idle.nats, row.idle.controller, row.idle.nodes].map(cpu => digits(cpu / 10)),
  ]);
  return section('Scale', [
    table([['nodes', 'code', 'push (ms)', 'p99', 'µs a node', 'bare (ms)', 'skew'], ...containers, ...simulated]),
    table([
      [
        'simulated',
        'start (s)',
        'kB a node',
        'kB a node in NATS',
        'controller (MB)',
        'idle CPU %: NATS',
        'controller',
        'nodes',
      ],
      ...needs,
    ]),
  ]);
}

function phaseText(phases: Readonly<Record<string, number>>): string {
  return Object.entries(phases)
    .map(([name, ms]) => `${name} ${digits(ms)}`)
    .join(', ');
}

export function kilobytes(bytes: number): string {
  return `${bytes / 1_024} KB`;
}
