import { desiredRevision, type Head } from '../../protocol/head.ts';
import type { NodeDescription } from '../../protocol/messages.ts';
import { compareNodes } from '../../protocol/names.ts';
import { inScope } from '../../protocol/scope.ts';
import type { StatusRow } from './results.ts';

/**
 * Compares what should run with what runs, a row for each module and node.
 *
 * @param nodes every node that should answer, with null for one that is silent.
 */
export function compareWithHeads(
  heads: readonly Head[],
  nodes: ReadonlyMap<string, NodeDescription | null>,
): StatusRow[] {
  const byModule = new Map(heads.map(head => [head.module, head]));
  const running = [...nodes.values()].flatMap(node => Object.keys(node?.modules ?? {}));
  const modules = [...new Set([...byModule.keys(), ...running])].toSorted();
  const names = [...nodes.keys()].toSorted(compareNodes);
  return modules.flatMap(module =>
    names.flatMap(name => {
      const row = rowOf(module, byModule.get(module), name, nodes.get(name) ?? null);
      return row.desired === null && row.running === null && row.state === 'ok' ? [] : [row];
    }),
  );
}

function rowOf(module: string, head: Head | undefined, node: string, description: NodeDescription | null): StatusRow {
  const desired = head === undefined ? null : desiredRevision(head, node);
  const canary = head?.canary ? inScope(head.canary.scope, node) : false;
  if (description === null) return { module, node, desired, running: null, canary, state: 'silent' };
  const running = description.modules[module];
  const state = running?.revision === (desired ?? undefined) ? 'ok' : running?.sequence === 0 ? 'here only' : 'behind';
  return { module, node, desired, running: running?.revision ?? null, canary, state };
}
