import { randomUUID } from 'node:crypto';

import { type Canary, type Head, type Manifest, type RollbackCause } from '../../../protocol/head.ts';
import { areSameGroups, type Groups } from '../../../protocol/placement/groups.ts';
import { isBan, type KeptOff, mergedKeptOff } from '../../../protocol/kept-off.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import { type Why, whyOf } from '../../../protocol/history/why.ts';
import type { HeadWrite, LastHead } from '../store/heads.ts';
import type { StreamStore } from '../store/stream-store.ts';

/** What a module's next head should say, and the head that this was decided upon. */
export interface HeadChange {
  readonly module: string;
  readonly revision: string | null;
  readonly manifest: Manifest | null;
  readonly canary: Canary | null;
  /** The groups that it goes to from now on, null for every one; by default those of the last head. */
  readonly groups?: Groups | null;
  readonly last: LastHead;
  /** See {@link Head}. */
  readonly force: boolean;
  readonly makeRoom: boolean;
  /** The nodes that it keeps off a revision, besides the bans of the last head. */
  readonly keepOff?: readonly KeptOff[];
  /** What does not keep nodes off a revision any more. */
  readonly lifts?: readonly KeptOff[];
}

/**
 * Who changes heads, and why. `push`: the id of the change; default: a new one. A rollback has a cause; it reverts the heads that it was decided upon. `clearState`: nodes drop
 * the data of the modules. `lifts`: nothing keeps nodes off the new revisions any more; `bans`: but for what a push left out. `amends`: the head says of the same revision who loads
 * it, so it repeats it. `quarantine`, `repeats`: see {@link Head}.
 */
export interface ChangeReason extends Why {
  readonly author: string;
  readonly push?: string;
  readonly note: string;
  readonly cause?: RollbackCause;
  readonly clearState?: boolean;
  readonly lifts?: boolean | 'bans';
  readonly amends?: boolean;
  readonly quarantine?: boolean;
  readonly repeats?: boolean;
}

/** `overtaken`: another controller was faster, and these heads are not written. */
export type HeadsWritten =
  | { readonly status: 'written'; readonly heads: readonly Head[]; readonly ms: number }
  | { readonly status: 'overtaken'; readonly heads: readonly Head[]; readonly detail: string };

/** The heads of a change, as {@link writeHeads} would write them now. */
export function nextHeads(
  store: Pick<StreamStore, 'highestSequence'>,
  changes: readonly HeadChange[],
  {
    author,
    push = randomUUID(),
    note,
    cause,
    clearState = false,
    lifts: liftsAll = false,
    amends = false,
    quarantine = false,
    repeats = amends,
    ...said
  }: ChangeReason,
): HeadWrite[] {
  const at = Date.now();
  return changes.map(({ last: { head: last, position }, keepOff = [], lifts = [], groups: wanted, ...change }) => {
    const revertOf = cause === undefined ? null : (last?.push ?? null);
    const sequence = Math.max(last?.sequence ?? 0, store.highestSequence(change.module)) + 1;
    const stateSince = clearState ? sequence : (last?.stateSince ?? 0);
    const current = new Set([change.revision, change.canary?.revision]);
    const isLifted = (entry: KeptOff): boolean =>
      lifts.includes(entry) ||
      ((liftsAll === true || change.force || (liftsAll === 'bans' && isBan(entry))) && current.has(entry.revision));
    // A node that was left out of a revision stays out of it as long as that is the module's revision.
    const isKept = (entry: KeptOff): boolean =>
      (amends || isBan(entry) || entry.revision === change.revision) && !isLifted(entry);
    const keptOff = mergedKeptOff((last?.keptOff ?? []).filter(isKept), keepOff, change.revision);
    const groups = groupEntries(last, wanted);
    const why = { revertOf, cause: cause ?? null, quarantine, repeats, author, at, note, ...whyOf(said) };
    return { head: { ...change, ...groups, ...why, sequence, stateSince, keptOff, push }, position };
  });
}

/**
 * Writes the heads of a change together: all of them, or none.
 *
 * @param prepared those of {@link nextHeads} before, which nodes know by their hashes. They are written, unless a newer head has been
 *   shown since.
 */
export async function writeHeads(
  store: StreamStore,
  changes: readonly HeadChange[],
  reason: ChangeReason,
  prepared: readonly HeadWrite[] = [],
): Promise<HeadsWritten> {
  const startedAt = performance.now();
  const next = nextHeads(store, changes, reason);
  const isNext = next.every(({ head }, index) => head.sequence === prepared[index]?.head.sequence);
  const writes = isNext ? prepared : next;
  const heads = writes.map(({ head }) => head);
  if (await store.writeHeads(writes)) return { status: 'written', heads, ms: performance.now() - startedAt };
  return { status: 'overtaken', heads, detail: await describeOvertaker(store, heads) };
}

/** What a head says of the groups of its module, and of those that it leaves. */
function groupEntries(last: Head | null, wanted: Groups | null | undefined): Pick<Head, 'groups' | 'movedFrom'> {
  const before = last?.groups ?? null;
  const groups = wanted === undefined ? before : wanted;
  const isDeployed = last !== null && (last.revision !== null || last.canary !== null);
  return {
    ...(groups === null ? {} : { groups }),
    ...(isDeployed && !areSameGroups(before, groups) ? { movedFrom: before } : {}),
  };
}

/** Names the change that was written in place of these heads. */
export async function describeOvertaker(store: StreamStore, ours: readonly Head[]): Promise<string> {
  for (const { module, push } of ours) {
    const { head } = await store.lastHead(module);
    if (head === null || head.push === push) continue;
    const what = head.revision === null ? `removal of ${module}` : `${module}@${shortRevision(head.revision)}`;
    return `${head.author} was faster: ${head.note} of ${what} at ${new Date(head.at).toISOString()}; look, then push again`;
  }
  return 'the stream changed meanwhile; look, then push again';
}
