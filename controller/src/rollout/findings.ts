import { desiredRevision, groupsOf, type Head } from '../../../protocol/head.ts';
import type { HeadResult } from '../../../protocol/history/head-result.ts';
import { isBan } from '../../../protocol/kept-off.ts';
import type { BanCause, NodeDescription } from '../../../protocol/messages.ts';
import { compareNodes } from '../../../protocol/names.ts';
import { isInGroups } from '../../../protocol/placement/groups.ts';
import { type Container, namesOf } from '../fleet/roster.ts';

/** What a node says of a revision: it brought the node down. */
export interface Finding {
  readonly node: string;
  readonly cause: BanCause;
  readonly detail: string;
}

/** A head whose revision nodes say that it brought them down. */
export interface Accused {
  readonly head: Head;
  /** The nodes that say so now. */
  readonly findings: readonly Finding[];
  /** Whether this is more than one node can make up. */
  readonly isConfirmed: boolean;
}

/** In a fleet of more nodes than this, which are those of the module's groups, one node's word and its restart are not enough. */
const SMALL_FLEET = 2;

/**
 * The newest heads whose revision brought nodes down, as these nodes say. A node counts only if the roster knows its container, and
 * a container counts once, whatever it calls itself. Confirmed: two nodes say so, or in a fleet of two the one whose restart the
 * roster has seen. A head without a result is left to the controller that works on it, and a canary to its monitor.
 *
 * @param hasRestarted whether the roster has seen a container start again since a push.
 */
export function accusedHeads(
  heads: readonly Head[],
  results: readonly HeadResult[],
  present: readonly NodeDescription[],
  containers: readonly Container[],
  hasRestarted: (push: string, container: string) => boolean,
): Accused[] {
  const finished = new Map(results.map(({ module, sequence }) => [module, sequence]));
  const idsByName = new Map(containers.flatMap(each => namesOf(each).map(name => [name, each.id] as const)));
  const refusing = present.filter(
    ({ node, container, refusals }) => idsByName.get(node) === container && Object.keys(refusals).length > 0,
  );
  return heads.flatMap(head => {
    if (head.canary !== null || finished.get(head.module) !== head.sequence) return [];
    const accusing = refusing
      .filter(({ node, refusals: { [head.module]: refusal } }) => {
        const isBanned = refusal?.reason === 'banned' && refusal.sequence === head.sequence;
        return isBanned && head.revision !== null && desiredRevision(head, node) === head.revision;
      })
      .toSorted((a, b) => compareNodes(a.node, b.node));
    if (accusing.length === 0) return [];
    const findings = accusing.map(({ node, refusals: { [head.module]: refusal } }): Finding => ({
      node,
      cause: refusal?.cause ?? 'stalled',
      detail: refusal?.detail ?? '',
    }));
    const earlier = head.keptOff
      .filter(entry => isBan(entry) && entry.revision === head.revision && isInGroups(groupsOf(head), entry.node))
      .map(({ node }) => idsByName.get(node))
      .filter(id => id !== undefined);
    const distinct = new Set([...earlier, ...accusing.map(({ container }) => container)]);
    const fleet = containers.filter(each => namesOf(each).some(name => isInGroups(groupsOf(head), name)));
    const isSeen = fleet.length <= SMALL_FLEET && accusing.some(({ container }) => hasRestarted(head.push, container));
    return [{ head, findings, isConfirmed: distinct.size > 1 || isSeen }];
  });
}

/** What happened, and where: `stalled on fred, memory on betty`. */
export function describeFindings(findings: readonly Finding[]): string {
  const causes = ['stalled', 'memory'] as const;
  return causes
    .map(cause => [cause, [...new Set(findings.filter(each => each.cause === cause).map(({ node }) => node))]] as const)
    .filter(([, nodes]) => nodes.length > 0)
    .map(([cause, nodes]) => `${cause} on ${nodes.join(', ')}`)
    .join('; ');
}
