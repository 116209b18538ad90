import { errorLine, errorText } from '../../../../protocol/error-description.ts';
import type { HeadResult } from '../../../../protocol/history/head-result.ts';
import { groupsText } from '../../../../protocol/placement/groups.ts';
import { shortRevision } from '../../../../protocol/revision.ts';
import type { Why } from '../../../../protocol/history/why.ts';
import type { Result, ResultOf } from '../../api/results.ts';
import { at, drainingText, ms, SILENT, silentText, table } from '../format.ts';
import { groupsOf, nodesText } from '../grouping.ts';
import { printValue } from '../print-value.ts';
import { renderCompile, renderDryRun, renderPush } from './changes.ts';
import { renderErrors } from './logs.ts';
import { renderNodes, renderVersions } from './nodes.ts';
import { renderOperators } from './operators.ts';
import { renderStatus } from './status.ts';
import { bad, doubtful, good, outcomeWord } from '../style.ts';
import { groupedCallText, renderExports } from '../shell/answers.ts';

const renderers: { readonly [C in Result['command']]: (result: ResultOf<C>, verbose: boolean) => string } = {
  push: renderPush,
  rollback: renderPush,
  promote: renderPush,
  remove: renderPush,
  restore: renderPush,
  repair: renderPush,
  compile: renderCompile,
  'dry-run': renderDryRun,
  call: renderCall,
  purge: renderPurge,
  errors: renderErrors,
  exports: renderExports,
  evaluate: ({ nodes }) => groupedCallText(nodes, { colors: false, erlang: null }),
  session: () => '',
  ping: renderPing,
  nodes: renderNodes,
  names: result => result.names.join('\n'),
  version: renderVersions,
  doctor: renderDoctor,
  status: renderStatus,
  bans: renderBans,
  lift: renderPush,
  history: renderHistory,
  audit: renderAudit,
  events: ({ position }) => `up to position ${position} (go on with --since ${position})`,
  result: renderLookup,
  'operator add': ({ credentials }) => JSON.stringify(credentials, null, 2),
  'operator revoke': ({ name }) => `${name} is revoked; its connections are closed`,
  'operator list': renderOperators,
  'keys rotate': renderRotation,
  'keys revoke': ({ key }) => `nobody believes the key ${key} any more`,
};

/**
 * Formats a result as lines for people. In a long list, answers that are equal are one line.
 *
 * @param verbose a line for each node, however many there are.
 */
export function render(result: Result, verbose = false): string {
  const renderResult = renderers[result.command] as (result: Result, verbose: boolean) => string;
  return renderResult(result, verbose);
}

/** What the call printed, and its value or error: for each node, or for each group of equal answers. A single node's value is alone. */
function renderCall({ nodes, single, stack }: ResultOf<'call'>, verbose: boolean): string {
  const answers = nodes.map(node => {
    const output = node.status === 'silent' ? [] : node.output;
    const hasStack = stack && node.status === 'error' && node.stack !== undefined;
    return {
      node: node.node,
      status: node.status,
      output,
      text: hasStack ? bad(errorText(node)) : callText(node, single),
    };
  });
  const groups = groupsOf(answers, ({ output, text }) => JSON.stringify([output, text]), verbose);
  if (groups !== null) {
    return groups
      .flatMap((group, index) => {
        const who = nodesText(group, index);
        const [first = '', ...rest] = group[0]?.text.split('\n') ?? [];
        return [...(group[0]?.output ?? []).map(line => `${who} | ${line}`), `${first}  ← ${who}`, ...rest];
      })
      .join('\n');
  }
  const width = Math.max(...nodes.map(({ node }) => node.length));
  return answers
    .flatMap(({ node, status, output, text }) => [
      ...output.map(line => `${node} | ${line}`),
      single && status === 'value' ? text : `${node.padEnd(width)}  ${text}`,
    ])
    .join('\n');
}

function callText(node: ResultOf<'call'>['nodes'][number], single: boolean): string {
  if (node.status === 'silent') return silentText(node.detail ?? 'no answer in time (wait longer with --timeout 60s)');
  return node.status === 'value' ? printValue(node.json, !single) : bad(errorLine(node));
}

/** A line a node, or a line for each group of equal answers. */
function renderPurge({ nodes }: ResultOf<'purge'>, verbose: boolean): string {
  const rows = nodes.map(node => ({
    node: node.node,
    cells:
      node.status === 'silent'
        ? [doubtful('silent'), node.detail ?? SILENT]
        : [
            node.status === 'busy' ? doubtful('busy') : node.status,
            node.status === 'busy' ? node.draining.map(drainingText).join('; ') : '',
          ],
  }));
  const groups = groupsOf(rows, ({ cells }) => cells.join('\n'), verbose);
  if (groups === null) return table(rows.map(({ node, cells }) => [node, ...cells]));
  return table(groups.map((group, index) => answerRow(group[0]?.cells ?? [], nodesText(group, index))));
}

/** `pong` for a single node, otherwise a line a node, or a line for each group of equal answers. */
function renderPing({ nodes }: ResultOf<'ping'>, verbose: boolean): string {
  const [only] = nodes;
  if (nodes.length === 1 && only?.status === 'pong') return 'pong';
  const cellsOf = (node: (typeof nodes)[number]): string[] =>
    node.status === 'pong' ? ['pong'] : [doubtful('pang'), silentText(node.detail)];
  const groups = groupsOf(nodes, node => cellsOf(node).join('\n'), verbose);
  if (groups === null) {
    return table(nodes.map(node => [node.node, ...cellsOf(node), ...(node.status === 'pong' ? [ms(node.ms)] : [])]));
  }
  return table(
    groups.map((group, index) => {
      const times = group.flatMap(node => (node.status === 'pong' ? [node.ms] : []));
      const slowest = times.length === 0 ? [] : [`max ${ms(Math.max(...times))}`];
      return answerRow([...(group[0] === undefined ? [] : cellsOf(group[0])), ...slowest], nodesText(group, index));
    }),
  );
}

/** A row of a group: its answer, its nodes, and what else is known. */
function answerRow([answer = '', ...detail]: readonly string[], who: string): string[] {
  return [answer, who, detail.join('  ')];
}

/** A table with a row a head, newest first. */
function renderHistory({ module: only, heads }: ResultOf<'history'>): string {
  if (heads.length === 0) return 'nothing was pushed';
  const rows = heads.map(
    ({ at: time, module, revision: main, canary, author, note, outcome, later, groups, ...said }) => {
      const revision = canary?.revision ?? main;
      return [
        new Date(time).toISOString(),
        only === null ? at(module, revision ?? '-') : shortRevision(revision ?? '-'),
        author,
        outcome === null
          ? 'unknown'
          : [outcomeText(outcome), ...later.map(each => `later ${outcomeText(each)}`)].join('; '),
        [groups === undefined ? note : `${note} (on ${groupsText(groups)})`, ...whyText(said)].join('; '),
      ];
    },
  );
  return table([['WHEN', 'REVISION', 'WHO', 'OUTCOME', 'NOTE'], ...rows]);
}

/** The message of a change, and the commit of its sources: `git 3f2a9c81b0d4 (dirty)`. */
function whyText({ message, git }: Why): string[] {
  const commit = git === undefined ? [] : [`git ${git.commit.slice(0, 12)}${git.dirty ? ' (dirty)' : ''}`];
  return [...(message === undefined ? [] : [JSON.stringify(message)]), ...commit];
}

function outcomeText({ verdict, loaded, refused, silent }: HeadResult): string {
  return `${outcomeWord(verdict)}: ${loaded} loaded, ${refused} refused, ${silent} silent`;
}

/** A table with a row an entry, newest first. */
function renderAudit({ entries }: ResultOf<'audit'>): string {
  if (entries.length === 0) return 'nothing was done';
  const rows = entries.map(({ at: time, author, command, modules, outcome, detail, ...said }) => [
    new Date(time).toISOString(),
    author,
    command,
    modules.map(({ module, revision }) => (revision === null ? module : at(module, revision))).join(' ') || '-',
    outcomeWord(outcome),
    [detail.split('\n', 1)[0] ?? '', ...whyText(said)].filter(part => part !== '').join('; '),
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
  return `${what.join(' ')} ${outcomeWord(outcome)} · ${counts}`;
}

/** A table with a row for each node and revision that it is kept off. */
function renderBans({ bans }: ResultOf<'bans'>): string {
  if (bans.length === 0) return 'no node is kept off a revision';
  const rows = bans.map(({ module, revision, node, cause, instead, detail, isCurrent, at: time }) => [
    new Date(time).toISOString(),
    at(module, revision),
    node,
    cause === 'operator' ? 'left out' : cause,
    isCurrent ? (instead === null ? 'nothing' : shortRevision(instead)) : '-',
    detail,
  ]);
  return table([['WHEN', 'REVISION', 'NODE', 'CAUSE', 'INSTEAD', 'DETAIL'], ...rows]);
}

const STATES = { ok: good, warning: doubtful, wrong: bad } as const;

/** A line for each check, with what helps. */
function renderDoctor({ checks }: ResultOf<'doctor'>): string {
  const rows = checks.map(({ check, state, detail, help }) => [
    STATES[state](state),
    check,
    help === undefined ? detail : `${detail} (${help})`,
  ]);
  return table(rows);
}

function renderRotation({ key, previous, until, resealed }: ResultOf<'keys rotate'>): string {
  const end = new Date(until).toISOString();
  const before = previous.length === 0 ? '' : ` (${previous.join(', ')})`;
  return `signing with key ${key}; nodes trust the previous keys${before} until ${end}; ${resealed} records were signed again`;
}
