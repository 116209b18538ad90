import { shortRevision } from '../../../protocol/revision.ts';
import type { CallResult, NodesResult, PingResult, PurgeResult } from '../api/results.ts';
import { at, ms, SILENT, table } from './table.ts';

/** For each node: what the call printed, and its value or error. A single node's value is printed alone. */
export function renderCall({ nodes, single, stack }: CallResult): string {
  const width = Math.max(...nodes.map(({ node }) => node.length));
  return nodes
    .flatMap(node => {
      const output = node.status === 'silent' ? [] : node.output.map(line => `${node.node} | ${line}`);
      const answer = stack && node.status === 'error' && node.stack !== undefined ? node.stack : callText(node);
      return [...output, single && node.status === 'value' ? answer : `${node.node.padEnd(width)}  ${answer}`];
    })
    .join('\n');
}

function callText(node: CallResult['nodes'][number]): string {
  if (node.status === 'silent') return 'silent: no answer in time (wait longer with --timeout 60)';
  return node.status === 'value' ? (node.json ?? 'undefined') : `${node.type}: ${node.message}`;
}

/** A line a node. */
export function renderPurge({ nodes }: PurgeResult): string {
  return table(
    nodes.map(node => {
      if (node.status === 'silent') return [node.node, 'silent', SILENT];
      return [node.node, node.status, node.status === 'busy' ? `calls running on the old version: ${node.calls}` : ''];
    }),
  );
}

/** `pong` for a single node, otherwise a line a node. */
export function renderPing({ nodes }: PingResult): string {
  const [only] = nodes;
  if (nodes.length === 1 && only?.status === 'pong') return 'pong';
  return table(
    nodes.map(node => (node.status === 'pong' ? [node.node, 'pong', ms(node.ms)] : [node.node, 'pang', 'silent'])),
  );
}

/** A table with a row a node. */
export function renderNodes({ nodes }: NodesResult): string {
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
