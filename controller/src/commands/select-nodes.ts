import { UnavailableError, UsageError } from '../../../protocol/errors.ts';
import { compareNodes } from '../../../protocol/names.ts';
import type { OnReport } from '../api/command.ts';
import type { Asked } from '../fleet/ask-nodes.ts';
import type { Expected } from '../fleet/membership.ts';

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

/** The named node, or all that should answer when `node` is null. @throws UsageError when there is no such node, and UnavailableError when there are none. */
export function selectNodes(expected: Expected, node: string | null, report: OnReport): Required<Asked> {
  if (node === '') throw new UsageError('name the node: --node fred, or with make NODE=fred');
  const { departed } = expected;
  const names = expectedNodes(expected, report);
  if (node === null) return { expected: names, departed };
  if (names.has(node)) return { expected: new Set([node]), departed };
  const known = [...names].toSorted(compareNodes).join(', ');
  throw new UsageError(`there is no node ${JSON.stringify(node)}; nodes here: ${known}`);
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
