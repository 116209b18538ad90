import { shortRevision } from '../../../protocol/revision.ts';
import type { HistoryResult, Result, RotateResult, StatusResult } from '../api/results.ts';
import { renderCall, renderNodes, renderPing, renderPurge } from './render-nodes.ts';
import { renderCompile, renderDryRun, renderPush } from './render-push.ts';
import { table } from './table.ts';

/** Formats a result as lines for people. */
export function render(result: Result): string {
  switch (result.command) {
    case 'push':
    case 'rollback':
    case 'promote':
    case 'remove':
      return renderPush(result);
    case 'compile':
      return renderCompile(result);
    case 'dry-run':
      return renderDryRun(result);
    case 'call':
      return renderCall(result);
    case 'purge':
      return renderPurge(result);
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

/** A table with a row for each module and node, and how many differ from their head. */
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

/** A table with a row a head, newest first. */
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

function renderRotation({ key, until, resealed }: RotateResult): string {
  const end = new Date(until).toISOString();
  return `signing with key ${key}; nodes trust the previous keys until ${end}; ${resealed} records were signed again`;
}
