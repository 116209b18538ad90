import { UnavailableError, UsageError } from '../../../protocol/errors.ts';
import { compareNodes } from '../../../protocol/names.ts';
import { type Groups, groupsText, isInGroups } from '../../../protocol/placement/groups.ts';
import type { OnReport } from '../api/command.ts';
import type { Asked } from '../fleet/ask-nodes.ts';
import type { Expected } from '../fleet/membership.ts';
import type { CommandContext } from './context.ts';
import { groupNamed } from './placement.ts';

/** Which nodes a user has named: one, or those of a group. */
export interface Named {
  /** Null: none is named. */
  readonly node?: string | null;
  readonly group?: string | undefined;
}

/** The nodes that a command asks. */
export interface Selection extends Required<Asked> {
  /** Whether only these are asked, each by its name, or every node that there is. */
  readonly only: boolean;
  /** Whether a node is one of them, also one that comes later. */
  readonly has: (node: string) => boolean;
}

/** The names of the nodes that should answer. @throws UnavailableError when there are none. */
export function expectedNodes({ members, warning, flood, foreign }: Expected, report: OnReport): Set<string> {
  if (warning !== null) report({ type: 'warning', message: warning });
  if (flood !== undefined) report({ type: 'warning', message: flood });
  if (foreign !== undefined) report({ type: 'warning', message: foreign });
  if (members.length === 0) {
    throw new UnavailableError(
      'no node of this cookie is running; nothing was sent (start some with: docker compose up --detach --scale node=3)',
    );
  }
  return new Set(members.map(({ node }) => node));
}

/**
 * The named nodes, or all that should answer.
 *
 * @throws UsageError when there is no such node or group, and UnavailableError when there are none, or none of the group.
 */
export async function selectNodes(
  { groups }: Pick<CommandContext, 'groups'>,
  expected: Expected,
  { node = null, group }: Named,
  report: OnReport,
): Promise<Selection> {
  if (node === '') throw new UsageError('name the node: --node fred, or with make NODE=fred');
  if (node !== null && group !== undefined) throw new UsageError('name a node, or give --group, not both');
  const { departed } = expected;
  const names = expectedNodes(expected, report);
  if (group !== undefined) return nodesIn(groupNamed(group, [...(await groups()).keys()], names), names, expected);
  if (node === null) return nodesIn(null, names, expected);
  if (names.has(node)) return { expected: new Set([node]), departed, only: true, has: each => each === node };
  const known = [...names].toSorted(compareNodes).join(', ');
  throw new UsageError(`there is no node ${JSON.stringify(node)}; nodes here: ${known}`);
}

/** Those of the nodes that are in groups; null: all of them. @throws UnavailableError when none is. */
export function nodesIn(
  groups: Groups | null,
  names: ReadonlySet<string>,
  { departed }: Pick<Expected, 'departed'>,
): Selection {
  const has = (node: string): boolean => isInGroups(groups, node);
  const expected = new Set([...names].filter(has));
  if (expected.size === 0) throw new UnavailableError(`no node of ${groupsText(groups)} is running; nothing was sent`);
  return { expected, departed, only: groups !== null, has };
}

/** Names the nodes that have left before they answered: they are in no outcome. */
export function warnOfDeparted(
  { expected, departed }: Required<Asked>,
  outcomes: readonly { readonly node: string }[],
  report: OnReport,
): void {
  const named = new Set(outcomes.map(({ node }) => node));
  const left = [...expected].filter(node => departed.has(node) && !named.has(node)).toSorted(compareNodes);
  if (left.length === 0) return;
  const message = `left meanwhile, so not waited for: ${left.join(', ')} (a node takes the newest heads when it starts)`;
  report({ type: 'warning', message });
}
