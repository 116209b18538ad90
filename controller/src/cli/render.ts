import { shortRevision } from '../../../protocol/revision.ts';
import type {
  CallResult,
  HeadChangeResult,
  HistoryResult,
  NodeOutcome,
  NodesResult,
  PingResult,
  PurgeResult,
  PushResult,
  DryRunNode,
  DryRunResult,
  Result,
  RotateResult,
  StatusResult,
} from '../api/results.ts';

const SILENT = 'should have answered and did not';

/** A result as lines for people. */
export function render(result: Result): string {
  switch (result.command) {
    case 'push':
    case 'rollback':
    case 'promote':
    case 'remove':
      return renderPush(result);
    case 'compile': {
      const [outcome] = result.nodes;
      if (outcome?.status === 'loaded') return `{ok, ${result.module}, ${shortRevision(result.revision)}}`;
      return table(result.nodes.map(nodeRow));
    }
    case 'dry-run':
      return renderDryRun(result);
    case 'call':
      return renderCall(result);
    case 'purge':
      return table(result.nodes.map(purgeRow));
    case 'ping':
      return renderPing(result);
    case 'nodes':
      return renderNodes(result);
    case 'status':
      return renderStatus(result);
    case 'history':
      return renderHistory(result);
    case 'keys rotate':
      return renderRotation(result);
    default: {
      const check: never = result;
      return check;
    }
  }
}

function renderRotation({ key, until, resealed }: RotateResult): string {
  const end = new Date(until).toISOString();
  return `sealing with key ${key}; the one before is trusted until ${end}; ${resealed} records sealed again`;
}

function renderPush({ command, modules, outcome, detail, nodes, times }: PushResult | HeadChangeResult): string {
  const loaded = nodes.flatMap(node => (node.status === 'loaded' ? [node.ms] : [])).toSorted((a, b) => a - b);
  const counts = (['loaded', 'kept', 'refused', 'silent'] as const)
    .map(status => [nodes.filter(node => node.status === status).length, status] as const)
    .filter(([count]) => count > 0)
    .map(([count, status]) => `${count} ${status}`);
  const speed = loaded.length === 0 ? [] : [`p50 ${ms(quantile(loaded, 0.5))}`, `max ${ms(quantile(loaded, 1))}`];
  const what = modules.map(({ module, revision }) => (revision === null ? module : at(module, revision))).join(' ');
  const title = command === 'push' ? `${what} ${outcome}` : `${what} ${command} ${outcome}`;
  const phases = Object.entries(times).map(([phase, time]) => `${phase} ${ms(time)}`);
  return [
    table(nodes.map(node => (command === 'remove' ? removedRow(node) : nodeRow(node)))),
    [title, ...counts, ...speed].join(' · '),
    ...(detail === '' ? [] : [detail]),
    phases.join(', '),
  ]
    .filter(line => line !== '')
    .join('\n');
}

function renderDryRun({ modules, nodes }: DryRunResult): string {
  const would = nodes.filter(({ status }) => status === 'would_load').length;
  const what = modules.map(({ module, revision }) => at(module, revision)).join(' ');
  return [table(nodes.map(dryRunRow)), `${what} would load on ${would} of ${nodes.length}; nothing was changed`].join(
    '\n',
  );
}

function dryRunRow(outcome: DryRunNode): string[] {
  switch (outcome.status) {
    case 'would_load':
      return [outcome.node, 'would load'];
    case 'not_tried':
      return [outcome.node, `not tried: ${outcome.detail}`];
    case 'refused':
      return [outcome.node, `would be refused: ${outcome.reason}: ${outcome.detail}`];
    case 'silent':
      return [outcome.node, `silent: ${SILENT}`];
    default: {
      const check: never = outcome;
      return check;
    }
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
    default: {
      const check: never = outcome;
      return check;
    }
  }
}

function renderCall({ nodes, single, stack }: CallResult): string {
  return nodes
    .flatMap(node => {
      const output = node.status === 'silent' ? [] : node.output.map(line => `${node.node} | ${line}`);
      const answer = stack && node.status === 'error' && node.stack !== undefined ? node.stack : callText(node);
      return [...output, single && node.status === 'value' ? answer : `${node.node.padEnd(width(nodes))}  ${answer}`];
    })
    .join('\n');
}

function callText(node: CallResult['nodes'][number]): string {
  switch (node.status) {
    case 'value':
      return node.json ?? 'undefined';
    case 'error':
      return `${node.type}: ${node.message}`;
    case 'silent':
      return 'silent: no answer in time (wait longer with --timeout 60)';
    default: {
      const check: never = node;
      return check;
    }
  }
}

function purgeRow(node: PurgeResult['nodes'][number]): string[] {
  switch (node.status) {
    case 'purged':
      return [node.node, 'purged', ''];
    case 'busy':
      return [node.node, 'busy', `calls running on the old version: ${node.calls}`];
    case 'silent':
      return [node.node, 'silent', SILENT];
    default: {
      const check: never = node;
      return check;
    }
  }
}

function renderPing({ nodes }: PingResult): string {
  const [only] = nodes;
  if (nodes.length === 1 && only?.status === 'pong') return 'pong';
  return table(
    nodes.map(node => (node.status === 'pong' ? [node.node, 'pong', ms(node.ms)] : [node.node, 'pang', 'silent'])),
  );
}

function renderNodes({ nodes }: NodesResult): string {
  const rows = nodes.map(node => {
    if (node.status === 'silent') return [node.node, node.container, '', '', '', '', 'silent'];
    const modules = Object.entries(node.modules).map(([module, { revision, sequence, inFlight, old }]) =>
      [
        at(module, revision),
        ...(sequence === 0 ? ['(here only)'] : []),
        ...(inFlight > 0 ? [`(${inFlight} in flight)`] : []),
        ...(old === null ? [] : [`(old ${shortRevision(old.revision)}, ${old.inFlight} in flight)`]),
      ].join(' '),
    );
    const refused = Object.entries(node.refusals).map(([module, { reason }]) => `(refuses ${module}: ${reason})`);
    return [
      node.node,
      node.container,
      String(node.pid),
      new Date(node.startedAt).toISOString(),
      `${node.uptimeSeconds} s`,
      `${Math.round(node.memoryBytes / 1024 / 1024)} MiB`,
      [...modules, ...refused].join(' ') || '-',
    ];
  });
  return table([['NODE', 'CONTAINER', 'PID', 'STARTED', 'UPTIME', 'MEMORY', 'MODULES'], ...rows]);
}

function renderStatus({ heads, nodes }: StatusResult): string {
  const rows = nodes.map(({ module, node, desired, running, canary, state, detail }) => [
    module,
    node,
    desired === null ? '-' : `${shortRevision(desired)}${canary ? ' (canary)' : ''}`,
    running === null ? '-' : shortRevision(running),
    detail === undefined ? state : `${state}: ${detail}`,
  ]);
  const drifted = nodes.filter(({ state }) => state !== 'ok').length;
  const summary = drifted === 0 ? 'every node is on its heads' : `${drifted} of ${nodes.length} are not on their head`;
  if (rows.length === 0) return heads.length === 0 ? 'nothing was pushed yet' : summary;
  return `${table([['MODULE', 'NODE', 'DESIRED', 'RUNNING', 'STATE'], ...rows])}\n${summary}`;
}

function renderHistory({ heads }: HistoryResult): string {
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

function at(module: string, revision: string): string {
  return `${module}@${shortRevision(revision)}`;
}

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

function width(nodes: readonly { readonly node: string }[]): number {
  return Math.max(...nodes.map(({ node }) => node.length));
}

/** The nearest-rank quantile of sorted numbers. */
function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
}

function ms(milliseconds: number): string {
  return `${milliseconds.toFixed(milliseconds < 100 ? 1 : 0)} ms`;
}
