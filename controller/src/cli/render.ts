import { errorLine, errorText } from '../../../protocol/error-description.ts';
import type { DrainingVersion } from '../../../protocol/messages.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import { ageText } from '../../../shared/age.ts';
import type { HeadChangeResult, NodeOutcome, PushResult, Result, ResultOf } from '../api/results.ts';
import { printValue } from './print-value.ts';

/** The text for a node that is silent. */
const SILENT = 'should have answered and did not';

const renderers: { readonly [C in Result['command']]: (result: ResultOf<C>) => string } = {
  push: renderPush,
  rollback: renderPush,
  promote: renderPush,
  remove: renderPush,
  compile: renderCompile,
  'dry-run': renderDryRun,
  call: renderCall,
  purge: renderPurge,
  ping: renderPing,
  nodes: renderNodes,
  status: renderStatus,
  history: renderHistory,
  'keys rotate': renderRotation,
};

/** Formats a result as lines for people. */
export function render(result: Result): string {
  const renderResult = renderers[result.command] as (result: Result) => string;
  return renderResult(result);
}

/** A line a node, the outcome with totals, the modules of a push that were left alone, and the times. */
function renderPush(result: PushResult | HeadChangeResult): string {
  const { command, modules, outcome, detail, nodes, times } = result;
  if (outcome === 'unchanged') return renderUnchanged(result);
  const loaded = nodes.flatMap(node => (node.status === 'loaded' ? [node.ms] : [])).toSorted((a, b) => a - b);
  const counts = (['loaded', 'kept', 'refused', 'silent'] as const)
    .map(status => [nodes.filter(node => node.status === status).length, status] as const)
    .filter(([count]) => count > 0)
    .map(([count, status]) => `${count} ${status}`);
  const speed = loaded.length === 0 ? [] : [`p50 ${ms(quantile(loaded, 0.5))}`, `max ${ms(quantile(loaded, 1))}`];
  const unchanged = new Set(command === 'push' ? result.unchanged : []);
  const what = namesOf(modules.filter(({ module }) => !unchanged.has(module)));
  const leftAlone = namesOf(modules.filter(({ module }) => unchanged.has(module)));
  const title = command === 'push' ? `${what} ${outcome}` : `${what} ${command} ${outcome}`;
  const phases = Object.entries(times).map(([phase, time]) => `${phase} ${ms(time)}`);
  return [
    table(nodes.map(node => (command === 'remove' ? removedRow(node) : nodeRow(node)))),
    [title, ...counts, ...speed].join(' · '),
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
function renderDryRun({ modules, nodes }: ResultOf<'dry-run'>): string {
  const would = nodes.filter(({ status }) => status === 'would_load').length;
  const what = modules.map(({ module, revision }) => at(module, revision)).join(' ');
  return [table(nodes.map(dryRunRow)), `${what} would load on ${would} of ${nodes.length}; nothing was changed`].join(
    '\n',
  );
}

/** The answer of Erlang's shell: `{ok, demo, 3f2a9c81b0d4}`; a refusal as in a push. */
function renderCompile({ module, revision, nodes }: ResultOf<'compile'>): string {
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

/** For each node: what the call printed, and its value or error. A single node's value is printed alone. */
function renderCall({ nodes, single, stack }: ResultOf<'call'>): string {
  const width = Math.max(...nodes.map(({ node }) => node.length));
  return nodes
    .flatMap(node => {
      const output = node.status === 'silent' ? [] : node.output.map(line => `${node.node} | ${line}`);
      const answer =
        stack && node.status === 'error' && node.stack !== undefined ? errorText(node) : callText(node, single);
      return [...output, single && node.status === 'value' ? answer : `${node.node.padEnd(width)}  ${answer}`];
    })
    .join('\n');
}

function callText(node: ResultOf<'call'>['nodes'][number], single: boolean): string {
  if (node.status === 'silent') return 'silent: no answer in time (wait longer with --timeout 60)';
  return node.status === 'value' ? printValue(node.json, !single) : errorLine(node);
}

/** A line a node. */
function renderPurge({ nodes }: ResultOf<'purge'>): string {
  return table(
    nodes.map(node => {
      if (node.status === 'silent') return [node.node, 'silent', SILENT];
      return [node.node, node.status, node.status === 'busy' ? node.draining.map(drainingText).join('; ') : ''];
    }),
  );
}

/** `pong` for a single node, otherwise a line a node. */
function renderPing({ nodes }: ResultOf<'ping'>): string {
  const [only] = nodes;
  if (nodes.length === 1 && only?.status === 'pong') return 'pong';
  return table(
    nodes.map(node => (node.status === 'pong' ? [node.node, 'pong', ms(node.ms)] : [node.node, 'pang', 'silent'])),
  );
}

/** A table with a row a node. */
function renderNodes({ nodes }: ResultOf<'nodes'>): string {
  const rows = nodes.map(node => {
    if (node.status === 'silent') return [node.node, node.container, '', '', '', '', 'silent'];
    const modules = Object.entries(node.modules).map(([module, { revision, sequence, inFlight }]) =>
      [
        at(module, revision),
        ...(sequence === 0 ? ['(here only)'] : []),
        ...(inFlight > 0 ? [`(${inFlight} in flight)`] : []),
      ].join(' '),
    );
    const refused = Object.entries(node.refusals).map(([module, { reason }]) => `(refuses ${module}: ${reason})`);
    const draining = node.draining.map(version => `(${drainingText(version)})`);
    const debugged = node.debugged === true ? ['(a debugger is attached)'] : [];
    return [
      node.node,
      node.container,
      String(node.pid),
      new Date(node.startedAt).toISOString(),
      `${node.uptimeSeconds} s`,
      `${Math.round(node.memoryBytes / 1024 / 1024)} MiB`,
      [...modules, ...draining, ...refused, ...debugged].join(' ') || '-',
    ];
  });
  return table([['NODE', 'CONTAINER', 'PID', 'STARTED', 'UPTIME', 'MEMORY', 'MODULES'], ...rows]);
}

/** A table with a row for each module and node, and how many differ from their head. */
function renderStatus({ heads, nodes }: ResultOf<'status'>): string {
  const rows = nodes.map(row => [
    row.module,
    row.node,
    row.desired === null ? '-' : `${shortRevision(row.desired)}${row.canary ? ' (canary)' : ''}`,
    row.running === null ? '-' : shortRevision(row.running),
    [stateText(row), ...row.draining.map(drainingText)].join('; '),
  ]);
  const drifted = nodes.filter(({ state }) => state !== 'ok').length;
  const summary = drifted === 0 ? 'every node is on its heads' : `${drifted} of ${nodes.length} are not on their head`;
  if (rows.length === 0) return heads.length === 0 ? 'nothing was pushed yet' : summary;
  return `${table([['MODULE', 'NODE', 'DESIRED', 'RUNNING', 'STATE'], ...rows])}\n${summary}`;
}

/** The state of a module on a node: `refused: on_load_failure: Error: no (tried 3 times, next try in 8 s)`. */
function stateText({ state, detail, attempts, nextAttemptInMs }: ResultOf<'status'>['nodes'][number]): string {
  const text = detail === undefined ? state : `${state}: ${detail}`;
  if (attempts === undefined || nextAttemptInMs === undefined) return text;
  const tried = attempts === 1 ? 'tried once' : `tried ${attempts} times`;
  return `${text} (${tried}, next try in ${Math.ceil(nextAttemptInMs / 1_000)} s)`;
}

/** A table with a row a head, newest first. */
function renderHistory({ heads }: ResultOf<'history'>): string {
  const rows = heads.map(({ at: time, revision, canary, author, note, outcome }) => [
    new Date(time).toISOString(),
    shortRevision(canary?.revision ?? revision ?? '-'),
    author,
    outcome === null
      ? 'unknown'
      : `${outcome.verdict}: ${outcome.loaded} loaded, ${outcome.refused} refused, ${outcome.silent} silent`,
    note,
  ]);
  return table([['WHEN', 'REVISION', 'WHO', 'OUTCOME', 'NOTE'], ...rows]);
}

function renderRotation({ key, until, resealed }: ResultOf<'keys rotate'>): string {
  const end = new Date(until).toISOString();
  return `signing with key ${key}; nodes trust the previous keys until ${end}; ${resealed} records were signed again`;
}

/** `demo@3f2a9c81b0d4 drains since 2026-…Z (3 h 5 min), 2 in flight: GET /demo/events`. */
function drainingText({ module, revision, since, inFlight, heldBy }: DrainingVersion): string {
  const time = `${new Date(since).toISOString()} (${ageText(Date.now() - since)})`;
  return `${at(module, revision)} drains since ${time}, ${inFlight} in flight: ${heldBy}`;
}

/** A module with its revision: `demo@3f2a9c81b0d4`. */
function at(module: string, revision: string): string {
  return `${module}@${shortRevision(revision)}`;
}

/** A duration in milliseconds: `4.0 ms`, `251 ms`. */
function ms(milliseconds: number): string {
  return `${milliseconds.toFixed(milliseconds < 100 ? 1 : 0)} ms`;
}

/** Aligns the columns of rows of text. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)));
  return rows
    .map(row =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
