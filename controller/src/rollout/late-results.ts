import { concerns, type Head, isOnHead } from '../../../protocol/head.ts';
import type { HeadResult } from '../../../protocol/history/head-result.ts';
import type { NodeDescription } from '../../../protocol/messages.ts';

/**
 * The results of the newest heads that had silent nodes at their commit, now that every node which should answer runs them. They
 * are written after the first ones, which stay: the history tells what the push saw, and what came later.
 */
export function lateResults(
  heads: readonly Head[],
  results: readonly HeadResult[],
  expected: ReadonlySet<string>,
  present: readonly NodeDescription[],
): HeadResult[] {
  const descriptions = new Map(present.map(description => [description.node, description]));
  return withSilentNodes(heads, results).flatMap(head => {
    const { module, sequence } = head;
    const isOn = (node: string): boolean => {
      const description = descriptions.get(node);
      return description !== undefined && isOnHead(head, node, description.modules[module]);
    };
    const nodes = [...expected].filter(node => concerns(head, node));
    if (nodes.length === 0 || !nodes.every(isOn)) return [];
    return [{ module, sequence, verdict: 'committed', loaded: nodes.length, refused: 0, silent: 0 }];
  });
}

/** The newest heads whose last result has silent nodes. */
export function withSilentNodes(heads: readonly Head[], results: readonly HeadResult[]): Head[] {
  const waiting = results.filter(({ verdict, silent }) => verdict === 'committed' && silent > 0);
  const sequences = new Map(waiting.map(({ module, sequence }) => [module, sequence]));
  return heads.filter(({ module, sequence }) => sequences.get(module) === sequence);
}
