import * as v from 'valibot';

import { count, nodeName, revision } from './schemas.ts';

/** Why a node is kept off a revision: a push was made without it, or the revision brought it down. */
export const keptOffCause = v.picklist(['operator', 'stalled', 'memory']);

/** A node that is kept off a revision. */
export const keptOffSchema = v.object({
  node: nodeName,
  /** The revision that it does not load. */
  revision,
  /** What it runs instead; null for nothing. */
  instead: v.nullable(revision),
  cause: keptOffCause,
  /** One line for people: what the revision did, or who made the push. */
  detail: v.string(),
  /** When it was written, milliseconds since 1970. */
  at: count,
});

export type KeptOff = v.InferOutput<typeof keptOffSchema>;

/** How many of them a head repeats of other revisions than its own. */
const MAX_OTHERS = 100;

/** Whether it is a ban: the revision has brought the node down. */
export function isBan({ cause }: KeptOff): boolean {
  return cause !== 'operator';
}

/** The entry that keeps a node off a revision; undefined when it can load it. */
export function keptOffBy(entries: readonly KeptOff[], node: string, of: string | null): KeptOff | undefined {
  return of === null ? undefined : entries.find(entry => entry.node === node && entry.revision === of);
}

/**
 * What a new head says of nodes that are kept off: the new entries, and those of the head before it, of which a revision can
 * come back. An entry replaces the one of the same node and revision.
 */
export function mergedKeptOff(
  before: readonly KeptOff[],
  added: readonly KeptOff[],
  current: string | null,
): KeptOff[] {
  const others = before.filter(({ node, revision: of }) => keptOffBy(added, node, of) === undefined);
  const all = [...others, ...added];
  const rest = all.filter(entry => entry.revision !== current);
  const dropped = new Set(rest.slice(0, Math.max(0, rest.length - MAX_OTHERS)));
  return all.filter(entry => !dropped.has(entry));
}
