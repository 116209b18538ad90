import { shortRevision } from '../../../../protocol/revision.ts';
import type { ChangedModule, HeadChangeResult, NodeOutcome, PushResult, ResultOf } from '../../api/results.ts';
import { at, listed, ms, SILENT, silentText, table, wrapped } from '../format.ts';
import { groupsOf, MAX_ROWS, nodesText } from '../grouping.ts';
import { bad, doubtful, outcomeWord } from '../style.ts';

const COUNTED = { loaded: String, removed: String, kept: String, refused: bad, silent: doubtful } as const;

/** The answers of the nodes, the outcome with totals, the modules of a push that were left alone, and the times. */
export function renderPush(result: PushResult | HeadChangeResult, verbose: boolean): string {
  const { command, modules, outcome, detail, nodes, times } = result;
  if (outcome === 'unchanged') return renderUnchanged(result, verbose);
  const counts = (['loaded', 'removed', 'kept', 'refused', 'silent'] as const)
    .map(status => [nodes.filter(node => wordOf(node) === status).length, status] as const)
    .filter(([count]) => count > 0)
    .map(([count, status]) => COUNTED[status](`${count} ${status}`));
  const waited = nodes.flatMap(node => (node.status === 'loaded' ? (node.waitedMs ?? []) : []));
  const waits = waited.length === 0 ? [] : [`calls waited up to ${ms(Math.max(...waited))}`];
  const unchanged = new Set(command === 'push' ? result.unchanged : []);
  const changed = inWords(modules.filter(({ module }) => !unchanged.has(module)));
  const leftAlone = inWords(modules.filter(({ module }) => unchanged.has(module)));
  const verb = command === 'push' ? '' : ` ${command}`;
  const title = `${changed.text}${verb} ${outcomeWord(outcome)}`;
  const phases = Object.entries(times).map(([phase, time]) => `${phase} ${ms(time)}`);
  return [
    nodesTable(nodes, outcomeCells, verbose),
    [title, ...counts, ...speedOf(nodes), ...waits].join(' · '),
    ...changed.lines,
    detail,
    ...(command === 'push' ? affectedLines(result.affected) : []),
    ...warningLines(nodes),
    leftAlone.text === '' ? '' : `unchanged: ${leftAlone.text} (--force writes it again)`,
    ...leftAlone.lines,
    phases.join(', '),
  ]
    .filter(line => line !== '')
    .join('\n');
}

function affectedLines(affected: PushResult['affected']): string[] {
  if (affected.length === 0) return [];
  return [`changed sources are also in ${changedText(affected)}; push them with: hotcast push --affected`];
}

/** Modules with their changed sources: `bar (modules/lib/helper.ts), baz (modules/baz.ts and 2 more)`. */
export function changedText(changed: readonly ChangedModule[]): string {
  return listed(
    changed.map(({ module, files: [first, ...others] }) => {
      const more = others.length === 0 ? '' : ` and ${others.length} more`;
      return `${module} (${first}${more})`;
    }),
  );
}

/** The nodes that were silent, one line, and other modules that are affected. */
function renderUnchanged(result: PushResult | HeadChangeResult, verbose: boolean): string {
  const { modules, detail, nodes } = result;
  const affected = result.command === 'push' ? affectedLines(result.affected) : [];
  const verb = modules.length === 1 ? 'is' : 'are';
  const { text, lines } = inWords(modules);
  const line = modules.length === 0 ? detail : `unchanged: ${text} ${verb} deployed; ${detail}`;
  return [nodesTable(nodes, outcomeCells, verbose), line, ...lines, ...affected].filter(part => part !== '').join('\n');
}

/** Modules with their revisions; if they are many, their number, and lines with them. */
function inWords(modules: readonly { readonly module: string; readonly revision: string | null }[]) {
  const names = modules.map(({ module, revision }) => (revision === null ? module : at(module, revision)));
  if (names.length <= MAX_ROWS) return { text: names.join(' '), lines: [] };
  return { text: `${names.length} modules`, lines: wrapped(names) };
}

/** The answers of the nodes, and how many would load the modules. */
export function renderDryRun({ modules, nodes }: ResultOf<'dry-run'>, verbose: boolean): string {
  if (modules.length === 0) return 'the sources of all modules are as they were pushed; nothing was tried';
  const would = nodes.filter(({ status }) => status === 'would_load').length;
  const { text, lines } = inWords(modules);
  const total = `${text} would load on ${would} of ${nodes.length}; nothing was changed`;
  return [nodesTable(nodes, dryRunCells, verbose), total, ...lines].join('\n');
}

/** The answer of Erlang's shell: `{ok, demo, 3f2a9c81b0d4}`; a refusal as in a push. */
export function renderCompile({ module, revision, nodes }: ResultOf<'compile'>, verbose: boolean): string {
  const [outcome] = nodes;
  if (outcome?.status !== 'loaded') return nodesTable(nodes, outcomeCells, verbose);
  return [`{ok, ${module}, ${shortRevision(revision)}}`, ...warningLines(nodes)].join('\n');
}

function dryRunCells(outcome: ResultOf<'dry-run'>['nodes'][number]): string[] {
  switch (outcome.status) {
    case 'would_load':
      return ['would load'];
    case 'not_tried':
      return [doubtful(`not tried: ${outcome.detail}`)];
    case 'refused':
      return [bad(`would be refused: ${outcome.reason}: ${outcome.detail}`)];
    case 'silent':
      return [silentText(outcome.detail ?? SILENT)];
  }
}

function wordOf(outcome: NodeOutcome): NodeOutcome['status'] | 'removed' {
  return outcome.status === 'loaded' && outcome.removed === true ? 'removed' : outcome.status;
}

/** What a node answered, without its time. */
function outcomeCells(outcome: NodeOutcome): string[] {
  switch (outcome.status) {
    case 'loaded':
      return [wordOf(outcome)];
    case 'kept':
      return ['kept', outcome.detail ?? 'not in the canary'];
    case 'refused':
      return [bad('refused'), `${outcome.reason}: ${outcome.detail}`];
    case 'silent':
      return [doubtful('silent'), outcome.detail ?? SILENT];
  }
}

interface Answer {
  readonly node: string;
  readonly status: string;
  readonly ms?: number;
}

/** A line a node, or a line for each group of equal answers: `loaded  30 nodes  p50 18.0 ms  max 24.0 ms`. */
function nodesTable<T extends Answer>(nodes: readonly T[], cellsOf: (node: T) => string[], verbose: boolean): string {
  const groups = groupsOf(nodes, node => cellsOf(node).join('\n'), verbose);
  if (groups === null) return table(nodes.map(node => [node.node, ...cellsOf(node), ...timesOf(node).map(ms)]));
  return table(
    groups.map((group, index) => {
      const [answer = '', ...detail] = group[0] === undefined ? [] : cellsOf(group[0]);
      return [answer, nodesText(group, index), [...detail, ...speedOf(group)].join('  ')];
    }),
  );
}

const timesOf = (node: Answer): number[] => (node.status === 'loaded' && node.ms !== undefined ? [node.ms] : []);

/** How long the nodes took that loaded: the median and the slowest. */
function speedOf(nodes: readonly Answer[]): string[] {
  const times = nodes.flatMap(timesOf).toSorted((a, b) => a - b);
  return times.length === 0 ? [] : [`p50 ${ms(quantile(times, 0.5))}`, `max ${ms(quantile(times, 1))}`];
}

/** The maximum number of nodes that are named with a warning. */
const MAX_NAMED_NODES = 3;

/** A line for each warning, with the nodes that gave it. */
function warningLines(outcomes: readonly NodeOutcome[]): string[] {
  const nodesOf = new Map<string, string[]>();
  for (const outcome of outcomes) {
    const warnings = outcome.status === 'loaded' ? (outcome.warnings ?? []) : [];
    for (const warning of warnings) nodesOf.set(warning, [...(nodesOf.get(warning) ?? []), outcome.node]);
  }
  return [...nodesOf].map(([warning, nodes]) => {
    const more = nodes.length > MAX_NAMED_NODES ? ` and ${nodes.length - MAX_NAMED_NODES} more` : '';
    return `${doubtful('warning')} of ${nodes.slice(0, MAX_NAMED_NODES).join(', ')}${more}: ${warning}`;
  });
}

/** The nearest-rank quantile of sorted numbers. */
function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
}
