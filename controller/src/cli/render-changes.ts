import { shortRevision } from '../../../protocol/revision.ts';
import type { ChangedModule, HeadChangeResult, NodeOutcome, PushResult, ResultOf } from '../api/results.ts';
import { at, ms, SILENT, table } from './format.ts';

/** A line a node, the outcome with totals, the modules of a push that were left alone, and the times. */
export function renderPush(result: PushResult | HeadChangeResult): string {
  const { command, modules, outcome, detail, nodes, times } = result;
  if (outcome === 'unchanged') return renderUnchanged(result);
  const loaded = nodes.flatMap(node => (node.status === 'loaded' ? [node.ms] : [])).toSorted((a, b) => a - b);
  const counts = (['loaded', 'kept', 'refused', 'silent'] as const)
    .map(status => [nodes.filter(node => node.status === status).length, status] as const)
    .filter(([count]) => count > 0)
    .map(([count, status]) => `${count} ${status}`);
  const speed = loaded.length === 0 ? [] : [`p50 ${ms(quantile(loaded, 0.5))}`, `max ${ms(quantile(loaded, 1))}`];
  const waited = nodes.flatMap(node => (node.status === 'loaded' ? (node.waitedMs ?? []) : []));
  const waits = waited.length === 0 ? [] : [`calls waited up to ${ms(Math.max(...waited))}`];
  const unchanged = new Set(command === 'push' ? result.unchanged : []);
  const what = namesOf(modules.filter(({ module }) => !unchanged.has(module)));
  const leftAlone = namesOf(modules.filter(({ module }) => unchanged.has(module)));
  const title = command === 'push' ? `${what} ${outcome}` : `${what} ${command} ${outcome}`;
  const phases = Object.entries(times).map(([phase, time]) => `${phase} ${ms(time)}`);
  return [
    table(nodes.map(node => (command === 'remove' ? removedRow(node) : nodeRow(node)))),
    [title, ...counts, ...speed, ...waits].join(' · '),
    detail,
    ...(command === 'push' ? affectedLines(result.affected) : []),
    ...warningLines(nodes),
    leftAlone === '' ? '' : `unchanged: ${leftAlone} (--force writes it again)`,
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
  return changed
    .map(({ module, files: [first, ...others] }) => {
      const more = others.length === 0 ? '' : ` and ${others.length} more`;
      return `${module} (${first}${more})`;
    })
    .join(', ');
}

/** The nodes that were silent, one line, and other modules that are affected. */
function renderUnchanged(result: PushResult | HeadChangeResult): string {
  const { modules, detail, nodes } = result;
  const affected = result.command === 'push' ? affectedLines(result.affected) : [];
  const verb = modules.length === 1 ? 'is' : 'are';
  const line = modules.length === 0 ? detail : `unchanged: ${namesOf(modules)} ${verb} deployed; ${detail}`;
  return [table(nodes.map(nodeRow)), line, ...affected].filter(part => part !== '').join('\n');
}

function namesOf(modules: readonly { readonly module: string; readonly revision: string | null }[]): string {
  return modules.map(({ module, revision }) => (revision === null ? module : at(module, revision))).join(' ');
}

/** A line a node, and how many would load the modules. */
export function renderDryRun({ modules, nodes }: ResultOf<'dry-run'>): string {
  if (modules.length === 0) return 'the sources of all modules are as they were pushed; nothing was tried';
  const would = nodes.filter(({ status }) => status === 'would_load').length;
  const what = modules.map(({ module, revision }) => at(module, revision)).join(' ');
  return [table(nodes.map(dryRunRow)), `${what} would load on ${would} of ${nodes.length}; nothing was changed`].join(
    '\n',
  );
}

/** The answer of Erlang's shell: `{ok, demo, 3f2a9c81b0d4}`; a refusal as in a push. */
export function renderCompile({ module, revision, nodes }: ResultOf<'compile'>): string {
  const [outcome] = nodes;
  if (outcome?.status !== 'loaded') return table(nodes.map(nodeRow));
  return [`{ok, ${module}, ${shortRevision(revision)}}`, ...warningLines(nodes)].join('\n');
}

function dryRunRow(outcome: ResultOf<'dry-run'>['nodes'][number]): string[] {
  switch (outcome.status) {
    case 'would_load':
      return [outcome.node, 'would load'];
    case 'not_tried':
      return [outcome.node, `not tried: ${outcome.detail}`];
    case 'refused':
      return [outcome.node, `would be refused: ${outcome.reason}: ${outcome.detail}`];
    case 'silent':
      return [outcome.node, `silent: ${outcome.detail ?? SILENT}`];
  }
}

function removedRow(outcome: NodeOutcome): string[] {
  return outcome.status === 'loaded' ? [outcome.node, 'removed', ms(outcome.ms)] : nodeRow(outcome);
}

function nodeRow(outcome: NodeOutcome): string[] {
  switch (outcome.status) {
    case 'loaded':
      return [outcome.node, 'loaded', ms(outcome.ms)];
    case 'kept':
      return [outcome.node, 'kept', 'not in the canary'];
    case 'refused':
      return [outcome.node, 'refused', `${outcome.reason}: ${outcome.detail}`];
    case 'silent':
      return [outcome.node, 'silent', outcome.detail ?? SILENT];
  }
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
    return `warning of ${nodes.slice(0, MAX_NAMED_NODES).join(', ')}${more}: ${warning}`;
  });
}

/** The nearest-rank quantile of sorted numbers. */
function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
}
