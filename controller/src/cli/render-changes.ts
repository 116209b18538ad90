import { shortRevision } from '../../../protocol/revision.ts';
import type { HeadChangeResult, NodeOutcome, PushResult, ResultOf } from '../api/results.ts';
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
    leftAlone === '' ? '' : `unchanged: ${leftAlone} (--force writes it again)`,
    phases.join(', '),
  ]
    .filter(line => line !== '')
    .join('\n');
}

/** The nodes that were silent, and one line. */
function renderUnchanged({ modules, detail, nodes }: PushResult | HeadChangeResult): string {
  const verb = modules.length === 1 ? 'is' : 'are';
  const line = `unchanged: ${namesOf(modules)} ${verb} deployed; ${detail}`;
  return [table(nodes.map(nodeRow)), line].filter(part => part !== '').join('\n');
}

function namesOf(modules: readonly { readonly module: string; readonly revision: string | null }[]): string {
  return modules.map(({ module, revision }) => (revision === null ? module : at(module, revision))).join(' ');
}

/** A line a node, and how many would load the modules. */
export function renderDryRun({ modules, nodes }: ResultOf<'dry-run'>): string {
  const would = nodes.filter(({ status }) => status === 'would_load').length;
  const what = modules.map(({ module, revision }) => at(module, revision)).join(' ');
  return [table(nodes.map(dryRunRow)), `${what} would load on ${would} of ${nodes.length}; nothing was changed`].join(
    '\n',
  );
}

/** The answer of Erlang's shell: `{ok, demo, 3f2a9c81b0d4}`; a refusal as in a push. */
export function renderCompile({ module, revision, nodes }: ResultOf<'compile'>): string {
  const [outcome] = nodes;
  if (outcome?.status === 'loaded') return `{ok, ${module}, ${shortRevision(revision)}}`;
  return table(nodes.map(nodeRow));
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
      return [outcome.node, `silent: ${SILENT}`];
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
      return [outcome.node, 'silent', SILENT];
  }
}

/** The nearest-rank quantile of sorted numbers. */
function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
}
