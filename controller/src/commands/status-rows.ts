import { desiredRevision, type Head, isOnHead, offeredRevision } from '../../../protocol/head.ts';
import { isBan, keptOffBy } from '../../../protocol/kept-off.ts';
import type { NodeDescription } from '../../../protocol/messages.ts';
import { compareNodes } from '../../../protocol/names.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import { inScope } from '../../../protocol/canary-scope.ts';
import type { StatusRow } from '../api/results.ts';

/**
 * Compares what should run with what runs: one row for each module and node.
 *
 * @param nodes every node that should answer, with null for a silent one.
 */
export function statusRows(heads: readonly Head[], nodes: ReadonlyMap<string, NodeDescription | null>): StatusRow[] {
  const byModule = new Map(heads.map(head => [head.module, head]));
  const running = [...nodes.values()].flatMap(node => [
    ...Object.keys(node?.modules ?? {}),
    ...(node?.draining ?? []).map(({ module }) => module),
  ]);
  const modules = [...new Set([...byModule.keys(), ...running])].toSorted();
  const names = [...nodes.keys()].toSorted(compareNodes);
  const rows: StatusRow[] = [];
  for (const module of modules) {
    const head = byModule.get(module);
    for (const name of names) {
      const row = rowOf(module, head, name, nodes.get(name) ?? null);
      const isAbsent = row.desired === null && row.running === null && row.draining.length === 0;
      if (!isAbsent || row.state !== 'ok') rows.push(row);
    }
  }
  return rows;
}

const NOTHING: StatusRow['draining'] = [];

/** There are thousands: what a node says of the module is looked up once, and a row that is as it should be is made in one piece. */
function rowOf(module: string, head: Head | undefined, node: string, description: NodeDescription | null): StatusRow {
  const desired = head === undefined ? null : desiredRevision(head, node);
  const canary = head?.canary ? inScope(head.canary.scope, node) : false;
  const own = description?.modules[module];
  const { revision: running = null, errors = 0 } = own ?? {};
  const versions = description?.draining ?? NOTHING;
  const draining = versions.length === 0 ? NOTHING : versions.filter(version => version.module === module);
  const state = description === null ? 'silent' : 'ok';
  const row: StatusRow = { module, node, desired, canary, draining, errors, running, state };
  if (description === null) return row;
  const isAsked = head === undefined ? running === null : isOnHead(head, node, own);
  const keptOff = head === undefined ? undefined : keptOffBy(head.keptOff, node, offeredRevision(head, node));
  if (isAsked && keptOff === undefined) return row;
  if (isAsked && keptOff !== undefined) {
    const detail = `kept off ${shortRevision(keptOff.revision)}: ${keptOff.detail}`;
    return { ...row, state: isBan(keptOff) ? 'quarantined' : 'left out', detail };
  }
  return { ...row, ...differenceOf(module, head, description, running === desired) };
}

/** Why a node does not run what is asked. @param isRevision whether it runs the revision, and only its state can differ. */
function differenceOf(
  module: string,
  head: Head | undefined,
  { modules, refusals, unreadable: ofModules }: NodeDescription,
  isRevision: boolean,
): Pick<StatusRow, 'state' | 'detail' | 'attempts' | 'nextAttemptInMs'> {
  const { [module]: own } = modules;
  const { [module]: refusal } = refusals;
  if (refusal !== undefined && refusal.sequence === head?.sequence) {
    const { reason, detail, attempts, nextAttemptInMs } = refusal;
    const retry = attempts === undefined || nextAttemptInMs === undefined ? {} : { attempts, nextAttemptInMs };
    return { state: 'refused', detail: `${reason}: ${detail}`, ...retry };
  }
  const unreadable = ofModules?.[module];
  if (unreadable !== undefined) return { state: 'refused', detail: `the head can't be read: ${unreadable}` };
  if (own?.sequence === 0) return { state: 'here only' };
  const seen = Math.max(own?.sequence ?? 0, refusal?.sequence ?? 0);
  if (head !== undefined && seen > head.sequence) {
    const detail = `it has seen a newer head than the stream has (push ${module} again, or: hotcast repair ${module})`;
    return { state: 'behind', detail };
  }
  return { state: 'behind', ...(isRevision ? { detail: 'its state is not cleared yet' } : {}) };
}
