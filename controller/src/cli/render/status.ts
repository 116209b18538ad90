import { groupsOf, revisionsOf } from '../../../../protocol/head.ts';
import { groupsText } from '../../../../protocol/placement/groups.ts';
import { shortRevision } from '../../../../protocol/revision.ts';
import type { ResultOf } from '../../api/results.ts';
import { FINE } from '../exit-status.ts';
import { drainingText, errorsText, listed, silentText, table, tallTable } from '../format.ts';
import { groupedBy, MAX_ROWS } from '../grouping.ts';
import { packagesText } from '../packages-text.ts';
import { changedText } from './changes.ts';
import { bad, doubtful, good } from '../style.ts';

type Row = ResultOf<'status'>['nodes'][number];

/**
 * A table with a row for each module and node, or for each module if there are many; the packages of modules, the modules whose
 * sources have changed, and how many differ from their head.
 */
export function renderStatus({ heads, nodes, changed, silent }: ResultOf<'status'>, verbose: boolean): string {
  const drifted = nodes.filter(({ state }) => !FINE.has(state)).length;
  const leftOut = [...new Set(nodes.flatMap(({ state, node }) => (state === 'left out' ? [node] : [])))];
  const others = leftOut.length === 0 ? '' : `, but for what is left out on ${listed(leftOut)}`;
  const summary =
    drifted === 0
      ? `${good('every node is on its heads')}${others}`
      : bad(`${drifted} of ${nodes.length} are not on their head`);
  const [count, their] = changed.length === 1 ? ['1 module has', 'its'] : [`${changed.length} modules have`, 'their'];
  const sources = changed.length === 0 ? [] : [`${count} changed sources since ${their} push: ${changedText(changed)}`];
  if (nodes.length === 0) {
    const lines = [
      heads.length === 0 ? 'nothing was pushed yet' : summary,
      ...silent.map(node => `${node}  ${silentText(undefined)}`),
    ];
    return lines.join('\n');
  }
  const lines = [...placesText(heads), ...packagesText(heads), ...sources, summary];
  const isGrouped = !verbose && nodes.length > MAX_ROWS;
  if (!isGrouped) return [nodeRows(nodes), ...lines].join('\n');
  const who = silent.length === 0 ? '' : `; ${silentText(listed(silent))}`;
  return `${[moduleRows(nodes), ...differences(nodes), ...lines].join('\n')}${who}`;
}

/** The modules that are not on every node: `on worker only: ticker, clock`. */
function placesText(heads: ResultOf<'status'>['heads']): string[] {
  const placed = heads
    .filter(head => head.groups !== undefined && revisionsOf(head).length > 0)
    .toSorted((a, b) => a.module.localeCompare(b.module, 'en'));
  const places = groupedBy(placed, head => groupsText(groupsOf(head)));
  return [...places].map(([where, modules]) => `on ${where} only: ${modules.map(({ module }) => module).join(', ')}`);
}

function nodeRows(nodes: readonly Row[]): string {
  const rows = nodes.map(row => [
    row.module,
    row.node,
    desiredText(row),
    runningText(row),
    [stateText(row), ...errorsText(row), ...row.draining.map(drainingText)].join('; '),
  ]);
  return table([['MODULE', 'NODE', 'DESIRED', 'RUNNING', 'STATE'], ...rows]);
}

/** A row for each module and revision that should run: on how many nodes it does, with the errors and what drains there. */
function moduleRows(nodes: readonly Row[]): string {
  const groups = groupedBy(nodes, row => `${row.module} ${desiredText(row)}`);
  const rows = [...groups.values()].flatMap(group => {
    const [first] = group;
    if (first === undefined) return [];
    const running = group.filter(({ state }) => state === 'ok').length;
    const errors = group.reduce((sum, row) => sum + row.errors, 0);
    const draining = group.reduce((sum, row) => sum + row.draining.length, 0);
    const drain = draining === 0 ? [] : [draining === 1 ? '1 version drains' : `${draining} versions drain`];
    const notes = [...errorsText({ errors }), ...drain].join('; ');
    return [[first.module, desiredText(first), `${running} of ${group.length}`, notes]];
  });
  return tallTable(['MODULE', 'DESIRED', 'NODES', ''], rows);
}

/** What the nodes run that differ from their heads, and why; without the silent ones. */
function differences(nodes: readonly Row[]): string[] {
  const differing = nodes.filter(({ state }) => state !== 'ok' && state !== 'silent');
  const groups = groupedBy(
    differing,
    row => `${row.module}  ${colorOf(row)(reasonOf(row))}, runs ${runningText(row, 'nothing')}`,
  );
  return [...groups].map(([what, rows]) => `${what}  ← ${listed(rows.map(({ node }) => node))}`);
}

function desiredText({ desired, canary }: Row): string {
  return desired === null ? '-' : `${shortRevision(desired)}${canary ? ' (canary)' : ''}`;
}

function runningText({ running }: Row, nothing = '-'): string {
  return running === null ? nothing : shortRevision(running);
}

function reasonOf({ state, detail }: Pick<Row, 'state' | 'detail'>): string {
  return detail === undefined ? state : `${state}: ${detail}`;
}

function colorOf({ state }: Pick<Row, 'state'>): (text: string) => string {
  return FINE.has(state) ? String : state === 'silent' || state === 'behind' ? doubtful : bad;
}

/** The state of a module on a node: `refused: on_load_failure: Error: no (tried 3 times, next try in 8 s)`. */
function stateText({ attempts, nextAttemptInMs, ...row }: Row): string {
  const text = colorOf(row)(reasonOf(row));
  if (attempts === undefined || nextAttemptInMs === undefined) return text;
  const tried = attempts === 1 ? 'tried once' : `tried ${attempts} times`;
  return `${text} (${tried}, next try in ${Math.ceil(nextAttemptInMs / 1_000)} s)`;
}
