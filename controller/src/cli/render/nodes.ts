import { ageText } from '../../../../shared/age.ts';
import type { ResultOf } from '../../api/results.ts';
import { at, drainingText, errorsText, listed, range, silentText, table, wrapped } from '../format.ts';
import { groupedBy, groupsOf } from '../grouping.ts';
import { bad } from '../style.ts';

type Row = ResultOf<'nodes'>['nodes'][number];
type Present = Extract<Row, { readonly status: 'present' }>;

/** A table with a row a node, or a block for each group of nodes that run the same. */
export function renderNodes({ nodes }: ResultOf<'nodes'>, verbose: boolean): string {
  const hasGroups = new Set(nodes.map(({ group }) => group)).size > 1;
  const groups = groupsOf(nodes, row => `${row.group} ${whatRuns(row)}`, verbose);
  if (groups !== null) {
    const usual = namesOf(groups[0]?.[0]);
    return groups.flatMap((group, index) => blockOf(group, index === 0 ? [] : usual, hasGroups)).join('\n');
  }
  const groupCells = ({ group }: Row): string[] => (hasGroups ? [group] : []);
  const hasMachines = nodes.some(({ machine }) => machine !== undefined);
  const machineCells = ({ machine = '-' }: Row): string[] => (hasMachines ? [machine] : []);
  const rows = nodes.map(node => {
    if (node.status === 'silent')
      return [
        node.node,
        ...groupCells(node),
        ...machineCells(node),
        node.container,
        '',
        '',
        '',
        '',
        '',
        silentText(node.detail),
      ];
    return [
      node.node,
      ...groupCells(node),
      ...machineCells(node),
      node.container,
      String(node.pid),
      new Date(node.startedAt).toISOString(),
      `${node.uptimeSeconds} s`,
      `${mebibytes(node)} MiB`,
      node.clockOffsetMs === undefined ? '-' : clockText(node.clockOffsetMs),
      [...modulesOf([node]), ...node.draining.map(version => `(${drainingText(version)})`), ...notesOf(node)].join(
        ' ',
      ) || '-',
    ];
  });
  const where = [...(hasGroups ? ['GROUP'] : []), ...(hasMachines ? ['MACHINE'] : [])];
  const title = ['NODE', ...where, 'CONTAINER', 'PID', 'STARTED', 'UPTIME', 'MEMORY', 'CLOCK'];
  return table([[...title, 'MODULES'], ...rows]);
}

/** `hotcast 0.3.0`, and how many nodes have that version; nodes that have another one, or were silent, by their names. */
export function renderVersions({ cli, controller, nodes }: ResultOf<'version'>): string {
  const rows = groupedBy(nodes, row => (row.status === 'silent' ? silentText(row.detail) : (row.version ?? 'unknown')));
  const own =
    cli === controller
      ? [['hotcast', cli]]
      : [
          ['hotcast', cli],
          ['controller', controller ?? 'unknown'],
        ];
  return table([
    ...own,
    ...[...rows].map(([version, group]) => {
      const count = group.length === 1 ? '1 node' : `${group.length} nodes`;
      return [
        version === controller ? 'nodes' : listed(group.map(({ node }) => node)),
        version,
        version === controller ? count : '',
      ];
    }),
  ]);
}

/** What is equal on all nodes of a block: all but what changes from second to second. */
function whatRuns(row: Row): string {
  if (row.status === 'silent') return silentText(row.detail);
  const modules = Object.entries(row.modules).map(
    ([module, { revision, sequence }]) => `${at(module, revision)} ${sequence === 0}`,
  );
  return JSON.stringify([modules.toSorted(), drainingNames(row), notesOf(row)]);
}

/**
 * How many nodes, since when, with how much memory; their names; what they run.
 *
 * @param usual the modules of most nodes: of the others, only the difference is shown.
 * @param hasGroups whether the name of the group is shown.
 */
function blockOf(group: readonly Row[], usual: readonly string[], hasGroups: boolean): string[] {
  const number = group.length === 1 ? '1 node' : `${group.length} nodes`;
  const count = hasGroups ? `${number} of ${group[0]?.group}` : number;
  const names = wrapped(group.map(({ node }) => node));
  const present = group.filter(row => row.status === 'present');
  const [first] = present;
  if (first === undefined) return [`${count}  ${group[0] === undefined ? '' : whatRuns(group[0])}`, ...names];
  const ages = present.map(({ uptimeSeconds }) => uptimeSeconds * 1_000);
  const [youngest, oldest] = [ageText(Math.min(...ages)), ageText(Math.max(...ages))];
  const up = youngest === oldest ? oldest : `${youngest} to ${oldest}`;
  const memory = range(present.map(mebibytes));
  const size = Object.keys(first.modules).length;
  const title = `${count}  up ${up}  ${memory} MiB  ${size === 1 ? '1 module' : `${size} modules`}`;
  const own = new Set(namesOf(first));
  const words = [
    ...modulesOf(present).filter(word => !usual.includes(word)),
    ...usual.filter(name => !own.has(name)).map(name => `(without ${name})`),
    ...drainingNames(first).map(name => `(${name} drains)`),
    ...notesOf(first),
  ];
  return [title, ...names, ...wrapped(words)];
}

function namesOf(row: Row | undefined): string[] {
  if (row?.status !== 'present') return [];
  return Object.entries(row.modules).map(([module, { revision }]) => at(module, revision));
}

/** The modules of nodes that run the same, with the calls in flight and the errors of all of these nodes. */
function modulesOf(nodes: readonly Present[]): string[] {
  const named = Object.entries(nodes[0]?.modules ?? {}).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return named.map(([module, { revision, sequence }]) => {
    const sumOf = (what: 'inFlight' | 'errors'): number =>
      nodes.reduce((sum, { modules }) => sum + (modules[module]?.[what] ?? 0), 0);
    const inFlight = sumOf('inFlight');
    return [
      at(module, revision),
      ...(sequence === 0 ? ['(here only)'] : []),
      ...(inFlight > 0 ? [`(${inFlight} in flight)`] : []),
      ...errorsText({ errors: sumOf('errors') }).map(text => `(${text})`),
    ].join(' ');
  });
}

function drainingNames({ draining }: Present): string[] {
  return draining.map(({ module, revision }) => at(module, revision));
}

function notesOf({ refusals, keptOff = [], debugged }: Present): string[] {
  const refused = Object.entries(refusals).map(([module, { reason }]) => bad(`(refuses ${module}: ${reason})`));
  const kept = keptOff.map(({ module, revision, cause }) =>
    cause === 'operator'
      ? `(left out of ${at(module, revision)})`
      : bad(`(quarantined from ${at(module, revision)}: ${cause})`),
  );
  return [...refused, ...kept, ...(debugged === true ? ['(a debugger is attached)'] : [])];
}

/** How far a clock is off: `+12 ms`, `-3600.0 s`. */
function clockText(offsetMs: number): string {
  const text = Math.abs(offsetMs) < 1_000 ? `${offsetMs} ms` : `${(offsetMs / 1_000).toFixed(1)} s`;
  return offsetMs < 0 ? text : `+${text}`;
}

function mebibytes({ memoryBytes }: Present): number {
  return Math.round(memoryBytes / 1024 / 1024);
}
