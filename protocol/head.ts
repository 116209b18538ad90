import * as v from 'valibot';

import { canaryScope, inScope } from './canary-scope.ts';
import { keptOffBy, keptOffSchema } from './kept-off.ts';
import { groupsSchema, type Groups, isInGroups } from './placement/groups.ts';
import { count, moduleName, revision } from './schemas.ts';
import { whyEntries } from './history/why.ts';

const manifestSchema = v.object({
  /** The names that other modules and `call` can reach. */
  exports: v.array(v.string()),
  /** The names that the revision imports from each module as `hot:<module>`. */
  imports: v.record(moduleName, v.array(v.string())),
  /**
   * The sources that the revision was built from, by their paths beside the modules folder (`modules/demo.ts`), with the first
   * 12 hex digits of their SHA-256. A package is in it by its package.json. Heads of before version 0.2 name none.
   */
  sources: v.optional(v.record(v.string(), v.string()), {}),
  /** The packages that the revision uses, if it uses any. `bytes`: of their packed archives, with what they reach. */
  packages: v.exactOptional(v.object({ hash: revision, versions: v.record(v.string(), v.string()), bytes: count })),
});

/** The exports of a revision, what it imports of other modules, and what it was built from. */
export type Manifest = v.InferOutput<typeof manifestSchema>;

/** Heads of before version 0.2 have none. */
const manifest = v.optional(v.nullable(manifestSchema), null);

const canarySchema = v.object({
  /** The revision that runs in the scope; all other nodes run the head's own. */
  revision,
  manifest,
  scope: canaryScope,
  /** The canary fails when more calls than this fail on its revision. */
  maxErrors: count,
});

/** Why a head points back: an operator asked for it, a node refused the commit, a canary failed, or the watchdog acted. */
export const rollbackCause = v.picklist(['operator', 'refused', 'canary', 'watchdog']);

export const headSchema = v.object({
  module: moduleName,
  /** The revision that should run; null when the module was removed. */
  revision: v.nullable(revision),
  /** Null when the module was removed. */
  manifest,
  /** A newer revision that a part of the fleet tries. */
  canary: v.nullable(canarySchema),
  /** The groups whose nodes load it; absent: all nodes do. */
  groups: v.exactOptional(groupsSchema),
  /** Where it was before, if this head moves it: those who leave unload it. Null: on all nodes. */
  movedFrom: v.exactOptional(v.nullable(groupsSchema)),
  /** Purge all versions that drain, rather than refuse the head. */
  force: v.boolean(),
  /** Purge the oldest versions that drain, as many as the limit needs, rather than refuse the head. */
  makeRoom: v.optional(v.boolean(), false),
  /**
   * Counts the heads of the module: one above the highest that the controller knows, from the stream and from the nodes. It orders
   * them also when the stream was lost. Heads of before version 0.3 count from the time at which they were written.
   */
  sequence: count,
  /**
   * The sequence of the module's last head that cleared its state (`remove --state`); 0 for none, as in heads of before version
   * 0.2. Every later head repeats it, so a node that missed that head clears its data by a later one.
   */
  stateSince: v.optional(count, 0),
  /** The id of the change that wrote it. Heads of one change share it, and are applied together. */
  push: v.string(),
  /** The push that it rolls back; null for every head that is not a rollback. */
  revertOf: v.nullable(v.string()),
  /** Why it rolls back; null for every head that is not a rollback. Rollbacks of before version 0.2 have none. */
  cause: v.optional(v.nullable(rollbackCause), null),
  /** The nodes that are kept off a revision. Every later head repeats the bans, until they are lifted. */
  keptOff: v.optional(v.array(keptOffSchema), []),
  /** Whether Hotcast wrote it to keep nodes off the revision. It lifts no ban, and no node's refusal reverts it. */
  quarantine: v.optional(v.boolean(), false),
  /** Whether it names again what earlier heads named: nodes are kept off it or not any more, it was repaired or restored. It is no push. */
  repeats: v.optional(v.boolean(), false),
  /** The user who wrote it. */
  author: v.string(),
  /** When it was written, by the clock of the controller, milliseconds since 1970. It is shown to people, and decides nothing. */
  at: count,
  /** What wrote it, for people: `push`, `rollback`, … */
  note: v.string(),
  ...whyEntries,
});

/** Which revision of a module should run: the small ref beside the write-once bundles. */
export type Head = v.InferOutput<typeof headSchema>;

/** A revision that a part of the fleet tries. */
export type Canary = v.InferOutput<typeof canarySchema>;

export type RollbackCause = v.InferOutput<typeof rollbackCause>;

/** The revision that a head asks one node to run; null when the node should not have the module. */
export function desiredRevision(head: Head, node: string): string | null {
  const offered = offeredRevision(head, node);
  const keptOff = keptOffBy(head.keptOff, node, offered);
  return keptOff === undefined ? offered : keptOff.instead;
}

/** The revision that a head asks one node to run if nothing keeps the node off it. */
export function offeredRevision(head: Head, node: string): string | null {
  const { revision: main, canary } = head;
  if (!isInGroups(groupsOf(head), node)) return null;
  return canary !== null && inScope(canary.scope, node) ? canary.revision : main;
}

/** The groups whose nodes load a module; null: all nodes do. */
export function groupsOf({ groups }: Pick<Head, 'groups'>): Groups | null {
  return groups ?? null;
}

/** Whether a head asks something of a node: it is in the module's groups, or leaves them. */
export function concerns({ groups, movedFrom }: Pick<Head, 'groups' | 'movedFrom'>, node: string): boolean {
  return isInGroups(groups ?? null, node) || (movedFrom !== undefined && isInGroups(movedFrom, node));
}

/**
 * Whether a node runs what a head asks of it. Data from before the head's `stateSince` is not what it asks: the node loads the
 * same revision again, without it.
 *
 * @param running the module on the node, as in its description: `sequence` is 0 when no head has loaded it.
 */
export function isOnHead(
  head: Head,
  node: string,
  running: { readonly revision: string; readonly sequence: number } | undefined,
): boolean {
  if (running === undefined) return desiredRevision(head, node) === null;
  const isOutdated = running.sequence > 0 && running.sequence < head.stateSince;
  return !isOutdated && running.revision === desiredRevision(head, node);
}

/** Every revision that a head has some node run. */
export function revisionsOf({ revision: main, canary, keptOff }: Head): string[] {
  const instead = keptOff.flatMap(entry => (entry.revision === main ? [entry.instead] : []));
  return [main, canary?.revision, ...instead].filter(each => typeof each === 'string');
}

/** Whether a head brought a revision: a push did, or its promotion. */
export function isPush({ revision: main, canary, revertOf, repeats }: Head): boolean {
  return (main !== null || canary !== null) && revertOf === null && !repeats;
}

/** Whether Hotcast wrote a head by itself. A node that refuses one stays behind, and it lifts no ban. */
export function isAutomatic(head: Pick<Head, 'revertOf' | 'cause' | 'quarantine'>): boolean {
  return head.quarantine || isAutomaticRollback(head);
}

/** Whether a head is a rollback that no operator asked for. A node that refuses one stays behind: it is not rolled back. */
export function isAutomaticRollback({ revertOf, cause }: Pick<Head, 'revertOf' | 'cause'>): boolean {
  return revertOf !== null && cause !== 'operator';
}
