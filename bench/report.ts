import { callsText } from './calls/report.ts';
import { httpText } from './http/report.ts';
import { HOTCAST, OLDER, pushesOf, type Results } from './results.ts';
import { count, digits, goals, kilobytes, section, table } from './table.ts';
import { targetsOf } from './targets.ts';

/** All tables of a run, and the targets, as Markdown. */
export function reportOf(results: Results): string {
  const {
    at,
    machine,
    otp,
    nodes,
    warmUp,
    http,
    calls,
    push,
    work,
    joining,
    edit,
    tail,
    console,
    restarts,
    cost,
    scale,
    idle,
  } = results;
  const { hardware, ...versions } = machine;
  const named = Object.entries({ ...versions, otp }).map(([name, version]) => `${name} ${version ?? '-'}`);
  return [
    section(`Measured ${at}`, hardware, named.join(' · ')),
    http && httpText(http),
    calls && callsText(calls),
    push && pushText(push, nodes, warmUp),
    work && workText(work),
    joining && joiningText(joining, nodes),
    edit && editText(edit, nodes),
    tail && tailText(tail, nodes),
    console && consoleText(console, nodes),
    restarts && restartsText(restarts),
    cost && costText(cost, nodes),
    scale && scaleText(scale),
    idle && idleText(idle),
    section('Targets (medians)', goals(...targetsOf(results))),
  ]
    .filter(text => text !== null)
    .join('\n\n');
}

type Part<
  P extends 'push' | 'work' | 'joining' | 'edit' | 'tail' | 'console' | 'restarts' | 'cost' | 'scale' | 'idle',
> = NonNullable<Results[P]>;

function pushText(push: Part<'push'>, nodes: number, warmUp: number): string {
  const of = (contender: string, bytes: number) => pushesOf({ push }, contender, bytes);
  const own = push.filter(({ contender }) => contender === HOTCAST);
  const cells =
    (contender: string) =>
    ({ bytes, ms: { p50 } }: (typeof own)[number]) => {
      const ms = of(contender, bytes)?.ms;
      return [ms?.p50, ms?.p99, times(ms?.p50, p50)];
    };
  return [
    section(
      `Push to ${nodes} containers, with every answer`,
      `ms: median, p99, times Hotcast's median; ${own[0]?.ms.count} pushes each after ${warmUp} for warm-up`,
      table(
        own.map(({ bytes }) => ` | ${kilobytes(bytes)} | p99 |`).join(''),
        [...new Set(push.map(({ contender }) => contender))].map(each => [each, ...own.flatMap(cells(each))]),
      ),
      own.map(({ bytes, phases }) => `- Hotcast, ${kilobytes(bytes)}: ${phaseText(phases)}`).join('\n'),
    ),
    section(
      "Skew: from the first node's switch to the last one's (ms)",
      table(
        ' | code | median | p99 | ',
        push.flatMap(({ contender, bytes, skew }) =>
          skew === null
            ? []
            : [[contender, kilobytes(bytes), skew.p50, skew.p99, times(skew.p50, of(HOTCAST, bytes)?.skew?.p50)]],
        ),
      ),
    ),
  ].join('\n\n');
}

function workText(work: Part<'work'>): string {
  return section(
    'Processor time of a push on one node (ms)',
    table(
      ' | code | median | p99',
      work.map(({ contender, bytes, node }) => [contender, kilobytes(bytes), node.p50, node.p99]),
    ),
  );
}

function joiningText({ modules, bytes, none, all, status }: Part<'joining'>, nodes: number): string {
  return section(
    'Start of a node (ms)',
    table(
      ' | until it runs its modules | p99 | processor time',
      Object.entries({ 'no modules': none, [`${modules} modules of ${kilobytes(bytes)}`]: all }).map(
        ([name, { ready, cpu }]) => {
          return [name, ready.p50, ready.p99, cpu.p50];
        },
      ),
    ),
    `A status of ${modules} modules on ${nodes} nodes takes ${digits(status.p50)} ms, p99 ${digits(status.p99)}.`,
  );
}

function editText({ bytes, command, dev, small }: Part<'edit'>, nodes: number): string {
  const rows = { 'make push': command, 'make dev': dev, 'make dev, 1 KB': small };
  return section(
    `From writing the file (${kilobytes(bytes)}) to live on ${nodes} nodes (ms)`,
    table(
      ' | median | p99 | of it the cluster | p99',
      Object.entries(rows).map(([name, { wall, cluster }]) => [name, wall.p50, wall.p99, cluster.p50, cluster.p99]),
    ),
    `make dev: ${phaseText(dev.phases)}`,
  );
}

function tailText({ lines, without, shown, grown }: Part<'tail'>, nodes: number): string {
  return section(
    `Pushes of 10 KB while a module logs ${count(lines)} lines a second on each of ${nodes} nodes (ms)`,
    table(' | median | p99', [
      ['nobody looks', without.p50, without.p99],
      ['hotcast tail', shown.p50, shown.p99],
    ]),
    `While a tail was shown, no container has grown by more than ${digits(grown / 1e6)} MB.`,
  );
}

function consoleText({ without, metrics, alone, shown, idle }: Part<'console'>, nodes: number): string {
  const row = (name: string, { p50, p99, work }: typeof without) => [name, p50, p50 / without.p50, p99, work] as const;
  return section(
    `Pushes of 10 KB to ${nodes} nodes without the console, and with it (ms)`,
    table(' | median | × | p99 | processor time of the console', [
      row('without a console', without),
      row('without one, metrics of nodes read', metrics),
      row('with one, at which nobody looks', alone),
      row('with one, at which somebody looks, and all metrics read', shown),
    ]),
    `While nothing happens, the console takes ${digits(idle.alone * 100)} % of a core, and ${digits(idle.looking * 100)} % while somebody looks.`,
  );
}

function restartsText({ rate, contenders }: Part<'restarts'>): string {
  return section(
    `New code everywhere, under ${rate} calls a second`,
    table(
      ' | new code (ms) | p99 | calls failed | of | call p99 | longest gap | state kept | calls forgotten',
      contenders.map(({ contender, newCode, during, nodes, nodesReached, state }) => [
        [contender, `${nodesReached < nodes ? '≈ ' : ''}${digits(newCode.p50)}`, newCode.p99],
        [count(during.failed), count(during.calls), during.p99, during.longestGap],
        [`${state.nodesKept} of ${nodesReached}`, count(state.callsForgotten)],
      ]),
    ),
  );
}

function costText(cost: Part<'cost'>, nodes: number): string {
  return section(
    'Cost of an idle node, and of a push of 10 KB on its wire',
    table(
      ` | memory (MB) | rss (MB) | CPU (%) | image (MB) | start of ${nodes} (s) | first push (ms) | received (kB) | sent (kB)`,
      cost.map(({ contender, idle, startMs, firstMs, wire }) => [
        [contender, idle.memory.p50 / 1e6, idle.rss.p50 / 1e6, idle.cpu.p50 * 100, idle.image / 1e6],
        [startMs / 1_000, firstMs, wire.received / 1e3, wire.sent / 1e3],
      ]),
    ),
  );
}

function scaleText({ containers, simulated }: Part<'scale'>): string {
  const rows = [
    ...containers.map(({ nodes, push }) => ({
      kind: push.contender === OLDER ? 'containers of the other checkout' : 'containers',
      nodes,
      push: push.ms,
      skew: push.skew,
      bare: null,
    })),
    ...simulated.map(row => ({ ...row, kind: 'simulated' })),
  ];
  return section(
    'Scale: pushes of 10 KB',
    table(
      'nodes | push (ms) | p99 | µs a node | bare (ms) | skew',
      rows.map(({ nodes, kind, push: { p50, p99 }, bare, skew }) => {
        return [`${count(nodes)} ${kind}`, p50, p99, (p50 / nodes) * 1_000, bare?.p50, skew?.p50];
      }),
    ),
    table(
      'simulated | start (s) | kB a node | kB a node in NATS | controller (MB) | idle CPU %: NATS | controller | nodes',
      simulated.map(({ nodes, startMs, memoryPerNode, natsMemoryPerNode, controllerMemory, idle }) => [
        [count(nodes), startMs / 1_000, memoryPerNode / 1e3, natsMemoryPerNode / 1e3, controllerMemory / 1e6],
        [idle.nats / 10, idle.controller / 10, idle.nodes / 10],
      ]),
    ),
  );
}

function idleText({ minutes, started, rested }: Part<'idle'>): string {
  const rows = {
    'the first push': started.first,
    'later ones, medians': started.later,
    [`the first after ${digits(minutes)} minutes`]: rested.first,
    'later ones': rested.later,
  };
  return section(
    'Pushes of 10 KB after a pause (ms), and their processor time',
    table(
      ' | push | prepare | write | commit | controller | NATS | a node',
      Object.entries(rows).map(([name, { ms, prepare, write, commit, controller, nats, node }]) => {
        return [name, ms, prepare, write, commit, controller, nats, node];
      }),
    ),
  );
}

function times(value = NaN, other = NaN): string {
  return `${digits(value / other)}×`;
}

function phaseText(phases: Readonly<Record<string, number>>): string {
  return Object.entries(phases)
    .map(([name, ms]) => `${name} ${digits(ms)}`)
    .join(', ');
}
