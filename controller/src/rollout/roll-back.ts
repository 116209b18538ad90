import { UsageError } from '../../../protocol/errors.ts';
import { groupsOf, type Head } from '../../../protocol/head.ts';
import type { KeptOff } from '../../../protocol/kept-off.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import { type Why, whyOf } from '../../../protocol/history/why.ts';
import type { StreamStore } from '../store/stream-store.ts';
import { manifestOf, previousRevision } from './previous-revision.ts';
import { describeOvertaker, type HeadChange, type HeadsWritten, writeHeads } from './write-heads.ts';

/** Why modules go back, and which: those that an operator names, or all that were pushed together with these heads. */
export type Rollback =
  | (Why & {
      readonly cause: 'operator';
      readonly modules: readonly string[];
      /** The first digits of a revision in the history; null for the previous one. */
      readonly to: string | null;
      readonly author: string;
      /** The id of the change. */
      readonly push: string;
    })
  | {
      readonly cause: 'refused' | 'canary' | 'watchdog';
      readonly heads: readonly Head[];
      /** For people: what happened. */
      readonly note: string;
      /** The nodes that are kept off a revision from now on. */
      readonly keepOff?: readonly KeptOff[];
    };

/** The author of heads that the controller writes by itself. The end of a refused push is its author's. */
export const CONTROLLER = 'hotcast';

/**
 * Writes heads that point back, all or none, and that record what they roll back. An automatic rollback leaves alone the
 * modules whose head was replaced meanwhile; when all were, it is overtaken.
 *
 * @throws UsageError when an operator names a module that has no revision to go back to.
 */
export async function rollBack(store: StreamStore, rollback: Rollback): Promise<HeadsWritten> {
  if (rollback.cause === 'operator') {
    const { cause, modules, to, author, push } = rollback;
    const changes = await Promise.all(modules.map(module => changeAsAsked(store, module, to)));
    return writeHeads(store, changes, { cause, author, push, note: 'rollback', lifts: true, ...whyOf(rollback) });
  }
  const { cause, heads, note, keepOff = [] } = rollback;
  const pushes = new Set(heads.map(({ push }) => push));
  for (;;) {
    const current = (await store.heads()).filter(({ push }) => pushes.has(push));
    const changes = await Promise.all(current.map(head => changeBack(store, head, cause, keepOff)));
    // What nodes say must not leave a module without a revision.
    const possible = changes.filter(({ revision }) => revision !== null || cause !== 'watchdog');
    const ours = possible.filter(({ last }) => pushes.has(last.head?.push ?? ''));
    if (ours.length === 0) return { status: 'overtaken', heads, detail: await describeOvertaker(store, heads) };
    const author = cause === 'refused' ? (heads[0]?.author ?? CONTROLLER) : CONTROLLER;
    const written = await writeHeads(store, ours, { cause, author, note });
    if (written.status === 'written') return written;
  }
}

async function changeBack(
  store: StreamStore,
  head: Head,
  cause: 'refused' | 'canary' | 'watchdog',
  keepOff: readonly KeptOff[],
): Promise<HeadChange> {
  const { history, last } = await store.historyToLast(head.module);
  // The watchdog leaves a revision, whatever brought it; the others leave what one push brought.
  const revision = previousRevision(head, history, cause === 'watchdog' ? [head.revision] : []);
  const before = history.findLast(each => each.sequence < head.sequence && each.revision === revision);
  return {
    module: head.module,
    revision,
    manifest: manifestOf(revision, history),
    canary: null,
    // A removed module leaves the groups that it was in.
    ...(before === undefined || revision === null ? {} : { groups: groupsOf(before) }),
    last,
    force: false,
    makeRoom: true,
    // Who was kept off the revision that it goes back to is kept off it again.
    keepOff: [
      ...keepOff.filter(entry => entry.revision === head.revision),
      ...(before?.keptOff ?? []).filter(entry => entry.revision === revision),
    ],
  };
}

async function changeAsAsked(store: StreamStore, module: string, to: string | null): Promise<HeadChange> {
  const { history, last } = await store.historyToLast(module);
  const { head } = last;
  if (head === null) throw new UsageError(`${module} was never pushed, so there is nothing to go back to`);
  const isCanary = to === null && head.canary !== null;
  const revision = isCanary ? previousRevision(head, history) : await earlierRevision(store, head, history, to);
  // It goes back to where it ran, too.
  const before = isCanary ? undefined : history.findLast(each => each.revision === revision);
  return {
    module,
    revision,
    manifest: manifestOf(revision, history),
    canary: null,
    ...(before === undefined ? {} : { groups: groupsOf(before) }),
    last,
    force: false,
    makeRoom: true,
  };
}

async function earlierRevision(
  store: StreamStore,
  head: Head,
  history: readonly Head[],
  to: string | null,
): Promise<string> {
  const { module } = head;
  const known = history.map(({ revision }) => revision).filter(revision => revision !== null);
  const found =
    to === null
      ? previousRevision(head, history, [head.revision, null])
      : (known.findLast(revision => revision.startsWith(to)) ?? null);
  if (found === null) {
    const wanted = to === null ? 'no other revision' : `no revision ${to}`;
    const list = [...new Set(known.map(shortRevision))].join(', ') || 'none';
    throw new UsageError(`the history of ${module} has ${wanted} to go back to; it has: ${list}`);
  }
  if ((await store.bundle({ module, revision: found })) === null) {
    throw new UsageError(`the bundle of ${module}@${shortRevision(found)} is not in the stream any more`);
  }
  return found;
}
