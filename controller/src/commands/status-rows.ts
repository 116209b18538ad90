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
  return modules.flatMap(module =>
    names.flatMap(name => {
      const row = rowOf(module, byModule.get(module), name, nodes.get(name) ?? null);
      const isAbsent = row.desired === null && row.running === null && row.draining.length === 0;
      return isAbsent && row.state === 'ok' ? [] : [row];
    }),
  );
}

function rowOf(module: string, head: Head | undefined, node: string, description: NodeDescription | null): StatusRow {
  const desired = head === undefined ? null : desiredRevision(head, node);
  const canary = head?.canary ? inScope(head.canary.scope, node) : false;
  const draining = (description?.draining ?? []).filter(version => version.module === module);
  const errors = description?.modules[module]?.errors ?? 0;
  const row = { module, node, desired, canary, draining, errors };
  if (description === null) return { ...row, running: null, state: 'silent' };
  const { modules, refusals } = description;
  const running = modules[module]?.revision ?? null;
  const refusal = refusals[module];
  const isAsked = head === undefined ? running === null : isOnHead(head, node, modules[module]);
  const keptOff = head === undefined ? undefined : keptOffBy(head.keptOff, node, offeredRevision(head, node));
  if (isAsked && keptOff !== undefined) {
    const detail = `kept off ${shortRevision(keptOff.revision)}: ${keptOff.detail}`;
    return { ...row, running, state: isBan(keptOff) ? 'quarantined' : 'left out', detail };
  }
  if (isAsked) return { ...row, running, state: 'ok' };
  if (refusal !== undefined && refusal.sequence === head?.sequence) {
    const { reason, detail, attempts, nextAttemptInMs } = refusal;
    const retry = attempts === undefined || nextAttemptInMs === undefined ? {} : { attempts, nextAttemptInMs };
    return { ...row, running, state: 'refused', detail: `${reason}: ${detail}`, ...retry };
  }
  const unreadable = description.unreadable?.[module];
  if (unreadable !== undefined)
    return { ...row, running, state: 'refused', detail: `the head can't be read: ${unreadable}` };
  if (modules[module]?.sequence === 0) return { ...row, running, state: 'here only' };
  const seen = Math.max(modules[module]?.sequence ?? 0, refusal?.sequence ?? 0);
  if (head !== undefined && seen > head.sequence) {
    const detail = `it has seen a newer head than the stream has (push ${module} again, or: hotcast repair ${module})`;
    return { ...row, running, state: 'behind', detail };
  }
  // Only the state can differ.
  return {
    ...row,
    running,
    state: 'behind',
    ...(running === desired ? { detail: 'its state is not cleared yet' } : {}),
  };
}
