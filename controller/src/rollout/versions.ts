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

/** The commands that wait for the release of all nodes. What goes back to code that ran, and what makes new keys, waits for no node's release. */
const WAITING: ReadonlySet<Command['type']> = new Set(['push', 'dev']);

/** The commands with an author that write no head. */
const HEADLESS: ReadonlySet<Command['type']> = new Set(['purge', 'evaluate']);

/**
 * Refuses a command when a part of the cluster would misunderstand it, before anything is sent: what changes something, on a stream
 * that a later release has written; a push, to nodes of another protocol, but for those that it leaves out.
 *
 * @throws VersionError, and NewerStreamError
 */
export async function checkVersions(
  { store, membership }: Pick<RolloutContext, 'store'> & { readonly membership: Pick<Membership, 'foreign'> },
  command: Command,
): Promise<void> {
  if (!('author' in command) || HEADLESS.has(command.type)) return;
  await store.heads();
  store.checkFormat();
  if (!WAITING.has(command.type)) return;
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
    ...(before === '' ? [] : [`still of the release before: ${before} (replace them)`]),
    ...(after === '' ? [] : [`of a later release than the controller: ${after} (upgrade the controller too)`]),
  ];
}
