import { createHash } from 'node:crypto';

import * as v from 'valibot';

import { nodeName } from './schemas.ts';

/** The nodes that run a canary. */
export const canaryScope = v.variant('type', [
  /** The listed nodes. */
  v.object({ type: v.literal('names'), names: v.pipe(v.array(nodeName), v.minLength(1)) }),
  /** The nodes whose {@link canaryRank} is at most `upTo`. A node that joins later applies the same rule. */
  v.object({ type: v.literal('share'), upTo: v.pipe(v.number(), v.minValue(0), v.maxValue(1)) }),
]);

export type CanaryScope = v.InferOutput<typeof canaryScope>;

/** A number between 0 and 1 that depends only on the node's name, spread evenly over names. */
export function canaryRank(node: string): number {
  return createHash('sha256').update(node).digest().readUInt32BE(0) / 0xffff_ffff;
}

export function inScope(scope: CanaryScope, node: string): boolean {
  return scope.type === 'names' ? scope.names.includes(node) : canaryRank(node) <= scope.upTo;
}

/**
 * The scope of a share of the fleet. It has at least one of the given nodes.
 *
 * @param share above 0, at most 1.
 */
export function shareScope(share: number, nodes: readonly string[]): CanaryScope {
  const first = Math.min(...nodes.map(canaryRank), 1);
  return { type: 'share', upTo: Math.max(share, first) };
}
