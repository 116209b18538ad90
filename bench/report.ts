import { HOTCAST, pushesOf, type Results } from './results.ts';
import { type Column, count, digits, goals, kilobytes, section, table } from './table.ts';
import { targetsOf } from './targets.ts';

/** All tables of a run, and the targets, as Markdown. */
export function reportOf(results: Results): string {
  const { at, machine, otp, nodes, warmUp, push, edit, restarts, cost, scale } = results;
  const { hardware, ...versions } = machine;
  const named = Object.entries({ ...versions, otp }).map(([name, version]) => `${name} ${version ?? '-'}`);
  return [
    section(`Measured ${at}`, hardware, named.join(' · ')),
    push && pushText(push, nodes, warmUp),
    edit && editText(edit, nodes),
    restarts && restartsText(restarts),
    cost && costText(cost, nodes),
    scale && scaleText(scale),
    section('Targets (medians)', goals(...targetsOf(results))),
  ]
    .filter(text => text !== null)
    .join('\n\n');
}

type Part<P extends 'push' | 'edit' | 'restarts' | 'cost' | 'scale'> = NonNullable<Results[P]>;

function pushText(push: Part<'push'>, nodes: number, warmUp: number): string {
  const of = (contender: string, bytes: number) => pushesOf({ push }, contender, bytes);
  const own = push.filter(({ contender }) => contender === HOTCAST);
  const columns = own.flatMap(({ bytes, ms }): Column<string>[] => [
    [kilobytes(bytes), contender => of(contender, bytes)?.ms.p50],
    ['p99', contender => of(contender, bytes)?.ms.p99],
    ['', contender => `${digits((of(contender, bytes)?.ms.p50 ?? NaN) / ms.p50)}×`],
  ]);
  return [
    section(
      `Push to ${nodes} containers, with every answer`,
      `ms: median, p99, times Hotcast's median; ${own[0]?.ms.count} pushes each after ${warmUp} for warm-up`,
      table([...new Set(push.map(({ contender }) => contender))], ['', contender => contender], ...columns),
      own.map(({ bytes, phases }) => `- Hotcast, ${kilobytes(bytes)}: ${phaseText(phases)}`).join('\n'),
    ),
    section(
      "Skew: from the first node's switch to the last one's (ms)",
      table(
        push.filter(({ skew }) => skew !== null),
        ['', ({ contender }) => contender],
        ['code', ({ bytes }) => kilobytes(bytes)],
        ['median', ({ skew }) => skew?.p50],
        ['p99', ({ skew }) => skew?.p99],
        ['', ({ bytes, skew }) => `${digits((skew?.p50 ?? NaN) / (of(HOTCAST, bytes)?.skew?.p50 ?? NaN))}×`],
      ),
    ),
  ].join('\n\n');
}

function editText({ bytes, command, warm }: Part<'edit'>, nodes: number): string {
  return section(
    `From writing the file (${kilobytes(bytes)}, types checked) to live on ${nodes} nodes (ms)`,
    table(
      [
        { name: 'make push', ...command },
        { name: 'controller warm', ...warm },
      ],
      ['', ({ name }) => name],
      ['median', ({ wall }) => wall.p50],
      ['p99', ({ wall }) => wall.p99],
      ['of it the cluster', ({ cluster }) => cluster.p50],
      ['p99', ({ cluster }) => cluster.p99],
    ),
    `controller warm: ${phaseText(warm.phases)}`,
  );
}

function restartsText({ rate, contenders }: Part<'restarts'>): string {
  return section(
    `New code everywhere, under ${rate} calls a second`,
    table(
      contenders,
      ['', ({ contender }) => contender],
      ['new code (ms)', ({ newCode, ...row }) => `${row.nodesReached < row.nodes ? '≈ ' : ''}${digits(newCode.p50)}`],
      ['p99', ({ newCode }) => newCode.p99],
      ['calls failed', ({ during }) => count(during.failed)],
      ['of', ({ during }) => count(during.calls)],
      ['call p99', ({ during }) => during.p99],
      ['longest gap', ({ during }) => during.longestGap],
      ['state kept', ({ state, nodesReached }) => `${state.nodesKept} of ${nodesReached}`],
      ['calls forgotten', ({ state }) => count(state.callsForgotten)],
    ),
  );
}

function costText(cost: Part<'cost'>, nodes: number): string {
  return section(
    'Cost of an idle node, and of a push of 10 KB on its wire',
    table(
      cost,
      ['', ({ contender }) => contender],
      ['memory (MB)', ({ idle }) => idle.memory.p50 / 1e6],
      ['rss (MB)', ({ idle }) => idle.rss.p50 / 1e6],
      ['CPU (%)', ({ idle }) => idle.cpu.p50 * 100],
      ['image (MB)', ({ idle }) => idle.image / 1e6],
      [`start of ${nodes} (s)`, ({ startMs }) => startMs / 1_000],
      ['received (kB)', ({ wire }) => wire.received / 1e3],
      ['sent (kB)', ({ wire }) => wire.sent / 1e3],
    ),
  );
}

function scaleText({ containers, simulated }: Part<'scale'>): string {
  const rows = [
    ...containers.map(({ nodes, push }) => ({ kind: 'containers', nodes, push: push.ms, skew: push.skew, bare: null })),
    ...simulated.map(row => ({ ...row, kind: 'simulated' })),
  ];
  return section(
    'Scale: pushes of 10 KB',
    table(
      rows,
      ['nodes', ({ nodes, kind }) => `${count(nodes)} ${kind}`],
      ['push (ms)', ({ push }) => push.p50],
      ['p99', ({ push }) => push.p99],
      ['µs a node', ({ push, nodes }) => (push.p50 / nodes) * 1_000],
      ['bare (ms)', ({ bare }) => bare?.p50],
      ['skew', ({ skew }) => skew?.p50],
    ),
    table(
      simulated,
      ['simulated', ({ nodes }) => count(nodes)],
      ['start (s)', ({ startMs }) => startMs / 1_000],
      ['kB a node', ({ memoryPerNode }) => memoryPerNode / 1e3],
      ['kB a node in NATS', ({ natsMemoryPerNode }) => natsMemoryPerNode / 1e3],
      ['controller (MB)', ({ controllerMemory }) => controllerMemory / 1e6],
      ['idle CPU %: NATS', ({ idle }) => idle.nats / 10],
      ['controller', ({ idle }) => idle.controller / 10],
      ['nodes', ({ idle }) => idle.nodes / 10],
    ),
  );
}

function phaseText(phases: Readonly<Record<string, number>>): string {
  return Object.entries(phases)
    .map(([name, ms]) => `${name} ${digits(ms)}`)
    .join(', ');
}
