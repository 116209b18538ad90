import { createHash } from 'node:crypto';

import * as v from 'valibot';

import { nodeName } from './schemas.ts';

/** Which nodes a canary is for. */
export const canaryScope = v.variant('type', [
  /** The nodes that are named. */
  v.object({ type: v.literal('names'), names: v.pipe(v.array(nodeName), v.minLength(1)) }),
  /** The nodes whose {@link canaryRank} is at most this; whoever joins later finds its own answer. */
  v.object({ type: v.literal('share'), upTo: v.pipe(v.number(), v.minValue(0), v.maxValue(1)) }),
]);

export type CanaryScope = v.InferOutput<typeof canaryScope>;

/** Where a node stands between 0 and 1: the same for a name everywhere and for ever, spread evenly over names. */
export function canaryRank(node: string): number {
  return createHash('sha256').update(node).digest().readUInt32BE(0) / 0xffff_ffff;
}

export function inScope(scope: CanaryScope, node: string): boolean {
  switch (scope.type) {
    case 'names':
      return scope.names.includes(node);
    case 'share':
      return canaryRank(node) <= scope.upTo;
    default: {
      const check: never = scope;
      return check;
    }
  }
}

/**
 * A share of the fleet that has at least one of the given nodes in it.
 *
 * @param share above 0, at most 1.
 */
export function shareScope(share: number, nodes: readonly string[]): CanaryScope {
  const first = Math.min(...nodes.map(canaryRank), 1);
  return { type: 'share', upTo: Math.max(share, first) };
}
