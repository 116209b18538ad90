import { errorLine, errorText } from '../../../protocol/error-description.ts';
import type { HeadResult } from '../../../protocol/head-result.ts';
import type { DrainingVersion } from '../../../protocol/messages.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import { ageText } from '../../../shared/age.ts';
import type { Result, ResultOf } from '../api/results.ts';
import { at, ms, SILENT, table } from './format.ts';
import { packagesText } from './packages-text.ts';
import { printValue } from './print-value.ts';
import { changedText, renderCompile, renderDryRun, renderPush } from './render-changes.ts';

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
  audit: renderAudit,
  result: renderLookup,
  'keys rotate': renderRotation,
};

/** Formats a result as lines for people. */
export function render(result: Result): string {
  const renderResult = renderers[result.command] as (result: Result) => string;
  return renderResult(result);
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
  if (node.status === 'silent') return `silent: ${node.detail ?? 'no answer in time (wait longer with --timeout 60)'}`;
  return node.status === 'value' ? printValue(node.json, !single) : errorLine(node);
}

/** A line a node. */
function renderPurge({ nodes }: ResultOf<'purge'>): string {
  return table(
    nodes.map(node => {
      if (node.status === 'silent') return [node.node, 'silent', node.detail ?? SILENT];
      return [node.node, node.status, node.status === 'busy' ? node.draining.map(drainingText).join('; ') : ''];
    }),
  );
}

/** `pong` for a single node, otherwise a line a node. */
function renderPing({ nodes }: ResultOf<'ping'>): string {
  const [only] = nodes;
  if (nodes.length === 1 && only?.status === 'pong') return 'pong';
  return table(
    nodes.map(node =>
      node.status === 'pong' ? [node.node, 'pong', ms(node.ms)] : [node.node, 'pang', silentText(node.detail)],
    ),
  );
}

/** A table with a row a node. */
function renderNodes({ nodes }: ResultOf<'nodes'>): string {
  const rows = nodes.map(node => {
    if (node.status === 'silent') return [node.node, node.container, '', '', '', '', silentText(node.detail)];
    const modules = Object.entries(node.modules).map(([module, { revision, sequence, inFlight, errors }]) =>
      [
        at(module, revision),
        ...(sequence === 0 ? ['(here only)'] : []),
        ...(inFlight > 0 ? [`(${inFlight} in flight)`] : []),
        ...errorsText({ errors }).map(text => `(${text})`),
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

/**
 * A table with a row for each module and node, the packages of modules, the modules whose sources have changed, and how many
 * differ from their head.
 */
function renderStatus({ heads, nodes, changed, silent }: ResultOf<'status'>): string {
  const rows = nodes.map(row => [
    row.module,
    row.node,
    row.desired === null ? '-' : `${shortRevision(row.desired)}${row.canary ? ' (canary)' : ''}`,
    row.running === null ? '-' : shortRevision(row.running),
    [stateText(row), ...errorsText(row), ...row.draining.map(drainingText)].join('; '),
  ]);
  const drifted = nodes.filter(({ state }) => state !== 'ok').length;
  const summary = drifted === 0 ? 'every node is on its heads' : `${drifted} of ${nodes.length} are not on their head`;
  const [count, their] = changed.length === 1 ? ['1 module has', 'its'] : [`${changed.length} modules have`, 'their'];
  const sources = changed.length === 0 ? [] : [`${count} changed sources since ${their} push: ${changedText(changed)}`];
  if (rows.length === 0) {
    const lines = [heads.length === 0 ? 'nothing was pushed yet' : summary, ...silent.map(node => `${node}  silent`)];
    return lines.join('\n');
  }
  const lines = [...packagesText(heads), ...sources, summary];
  return `${table([['MODULE', 'NODE', 'DESIRED', 'RUNNING', 'STATE'], ...rows])}\n${lines.join('\n')}`;
}

/** The errors of a revision since it was loaded; nothing for none. */
function errorsText({ errors }: { readonly errors: number }): string[] {
  return errors === 0 ? [] : [errors === 1 ? '1 error' : `${errors} errors`];
}

/** `silent`, and why if that is known. */
function silentText(detail: string | undefined): string {
  return detail === undefined ? 'silent' : `silent: ${detail}`;
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
  const rows = heads.map(({ at: time, revision, canary, author, note, outcome, later }) => [
    new Date(time).toISOString(),
    shortRevision(canary?.revision ?? revision ?? '-'),
    author,
    outcome === null
      ? 'unknown'
      : [outcomeText(outcome), ...later.map(each => `later ${outcomeText(each)}`)].join('; '),
    note,
  ]);
  return table([['WHEN', 'REVISION', 'WHO', 'OUTCOME', 'NOTE'], ...rows]);
}

function outcomeText({ verdict, loaded, refused, silent }: HeadResult): string {
  return `${verdict}: ${loaded} loaded, ${refused} refused, ${silent} silent`;
}

/** A table with a row an entry, newest first. */
function renderAudit({ entries }: ResultOf<'audit'>): string {
  if (entries.length === 0) return 'nothing was done';
  const rows = entries.map(({ at: time, author, command, modules, outcome, detail }) => [
    new Date(time).toISOString(),
    author,
    command,
    modules.map(({ module, revision }) => (revision === null ? module : at(module, revision))).join(' ') || '-',
    outcome,
    detail.split('\n', 1)[0] ?? '',
  ]);
  return table([['WHEN', 'WHO', 'COMMAND', 'MODULES', 'OUTCOME', 'DETAIL'], ...rows]);
}

/** What came of a change, in one line. */
function renderLookup({ change, outcome, modules, loaded, refused, silent }: ResultOf<'result'>): string {
  if (outcome === 'none') return `change ${change} wrote nothing; no node has changed`;
  const what = modules.map(({ module, revision, canary }) => {
    const name = revision === null ? `${module} removed` : at(module, revision);
    return canary ? `${name} as a canary` : name;
  });
  const counts = `${loaded} loaded, ${refused} refused, ${silent} silent`;
  if (outcome === 'unfinished')
    return `${what.join(' ')} is written; the nodes have not all answered (see: hotcast status)`;
  return `${what.join(' ')} ${outcome} · ${counts}`;
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
