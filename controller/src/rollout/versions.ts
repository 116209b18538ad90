import { HotcastError } from '../../../protocol/errors.ts';
import type { NodeDescription } from '../../../protocol/messages.ts';
import { compareNodes } from '../../../protocol/names.ts';
import { PROTOCOL } from '../../../protocol/version.ts';
import type { Command } from '../api/command.ts';
import { foreignText } from '../fleet/foreign-nodes.ts';
import type { Membership } from '../fleet/membership.ts';
import type { RolloutContext } from './context.ts';

/** A process of the cluster is of a release with which this one does not understand itself. Nothing was sent. */
export class VersionError extends HotcastError {
  readonly code = 'version';
}

/** Commands that change nothing on nodes of another release, or that must not wait for them. */
const ALWAYS: ReadonlySet<Command['type']> = new Set(['keys rotate']);

/**
 * Refuses a command that changes something when a part of the cluster would misunderstand it, before anything is sent: nodes of
 * another protocol, but for those that a push leaves out; and a stream that a later release has written.
 *
 * @throws VersionError, and NewerStreamError
 */
export async function checkVersions(
  { store, membership }: Pick<RolloutContext, 'store'> & { readonly membership: Pick<Membership, 'foreign'> },
  command: Command,
): Promise<void> {
  if (!('author' in command)) return;
  await store.heads();
  store.checkFormat();
  if (ALWAYS.has(command.type)) return;
  const without: readonly string[] = 'without' in command ? (command.without ?? []) : [];
  const foreign = membership.foreign().filter(({ node }) => !without.includes(node));
  if (foreign.length > 0) throw new VersionError(`nothing was sent: ${foreignText(foreign)}`);
}

/** A sentence about nodes of the release before or after this one, with which the controller still works. */
export function versionWarnings(nodes: readonly NodeDescription[]): string[] {
  const of = (wanted: number): string =>
    nodes
      .flatMap(({ node, protocol }) => (protocol === wanted ? [node] : []))
      .toSorted(compareNodes)
      .join(', ');
  const [before, after] = [of(PROTOCOL - 1), of(PROTOCOL + 1)];
  return [
    ...(before === '' ? [] : [`still of the release before: ${before} (make up replaces nodes, one at a time)`]),
    ...(after === '' ? [] : [`of a later release than the controller: ${after} (upgrade the controller too: make up)`]),
  ];
}
