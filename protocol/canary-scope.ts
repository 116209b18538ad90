import { createHash } from 'node:crypto';

import * as v from 'valibot';

import { groupsSchema, type Groups, isInGroups } from './placement/groups.ts';
import { nodeName } from './schemas.ts';

/** The nodes that run a canary. */
export const canaryScope = v.variant('type', [
  /** The listed nodes. */
  v.object({ type: v.literal('names'), names: v.pipe(v.array(nodeName), v.minLength(1)) }),
  /** The nodes whose {@link canaryRank} is at most `upTo`. A node that joins later applies the same rule. */
  v.object({
    type: v.literal('share'),
    upTo: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
    /** The share is of these groups, and no other node is in the scope. */
    of: v.exactOptional(groupsSchema),
  }),
]);

export type CanaryScope = v.InferOutput<typeof canaryScope>;

/** A number between 0 and 1 that depends only on the node's name, spread evenly over names. */
export function canaryRank(node: string): number {
  return createHash('sha256').update(node).digest().readUInt32BE(0) / 0xffff_ffff;
}

export function inScope(scope: CanaryScope, node: string): boolean {
  if (scope.type === 'names') return scope.names.includes(node);
  return canaryRank(node) <= scope.upTo && isInGroups(scope.of ?? null, node);
}

/**
 * The scope of a share of the fleet. It has at least one of the given nodes.
 *
 * @param share above 0, at most 1.
 * @param of the groups that it is a share of; null: of the fleet.
 */
export function shareScope(share: number, nodes: readonly string[], of: Groups | null = null): CanaryScope {
  const first = Math.min(...nodes.map(canaryRank), 1);
  return { type: 'share', upTo: Math.max(share, first), ...(of === null ? {} : { of }) };
}
