import { UsageError } from '../../../protocol/errors.ts';
import type { Head } from '../../../protocol/head.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import { compareNodes } from '../../../protocol/names.ts';
import { type Membership, expectedNodes } from '../fleet/membership.ts';
import type { OnReport } from '../api/command.ts';
import type { HeadChangeResult } from '../api/results.ts';
import { type Change, commitHeads, type RolloutContext, standing } from '../rollout/commit.ts';
import type { LastHead, StreamStore } from '../store/stream-store.ts';

export interface HeadParts extends RolloutContext {
  readonly fleet: Membership;
}

/** What is to be changed without a bundle travelling, by whom, and how long nodes may take (milliseconds). */
export interface HeadRequest {
  readonly modules: readonly string[];
  readonly author: string;
  readonly timeoutMs: number;
}

/**
 * Sends a module back: out of its canary when one is open, else to the last kept head before this one that names
 * another revision and was not refused, or to the revision that is named.
 *
 * @param to the beginning of a revision in the module's history; null for the one before.
 * @throws UsageError when there is nothing to go back to.
 */
export async function rollback(
  parts: HeadParts,
  request: HeadRequest,
  to: string | null,
  say: OnReport,
): Promise<HeadChangeResult> {
  return change(parts, request, 'rollback', say, async (module, last) => {
    const { head } = last;
    if (head === null) throw new UsageError(`${module} was never pushed, so there is nothing to go back to`);
    if (to === null && head.canary !== null)
      return { module, revision: head.revision, canary: null, last, force: true };
    const revision = await earlierRevision(parts.store, head, to);
    return { module, revision, canary: null, last, force: true };
  });
}

/** Gives every node the revision that is on trial. @throws UsageError when no canary is open. */
export async function promote(parts: HeadParts, request: HeadRequest, say: OnReport): Promise<HeadChangeResult> {
  return change(parts, request, 'promote', say, async (module, last) => {
    const canary = last.head?.canary;
    if (!canary)
      throw new UsageError(`${module} has no canary to promote (start one with: hotcast push ${module} --canary 1)`);
    return { module, revision: canary.revision, canary: null, last, force: true };
  });
}

/** Takes modules off every node. @throws UsageError when one is not there. */
export async function remove(parts: HeadParts, request: HeadRequest, say: OnReport): Promise<HeadChangeResult> {
  return change(parts, request, 'remove', say, async (module, last) => {
    if (!last.head || (last.head.revision === null && last.head.canary === null)) {
      throw new UsageError(`${module} is not pushed, so there is nothing to remove`);
    }
    return { module, revision: null, canary: null, last, force: true };
  });
}

/** Ends a canary that failed, unless another head has taken its place. */
export async function endCanary(parts: HeadParts, head: Head, reason: string, timeoutMs: number): Promise<void> {
  const last = await parts.store.lastHead(head.module);
  if (last.head?.sequence !== head.sequence) return;
  const expected = new Set((await parts.fleet.expected()).members.map(({ node }) => node));
  const back = { module: head.module, revision: head.revision, canary: null, last, force: true };
  await commitHeads(
    parts,
    [back],
    { author: 'hotcast', note: `automatic rollback: ${reason}` },
    { expected, timeoutMs },
  );
}

async function change(
  parts: HeadParts,
  { modules, author, timeoutMs }: HeadRequest,
  command: HeadChangeResult['command'],
  say: OnReport,
  decide: (module: string, last: LastHead) => Promise<Change>,
): Promise<HeadChangeResult> {
  const changes = await Promise.all(modules.map(async module => decide(module, await parts.store.lastHead(module))));
  const expected = expectedNodes(await parts.fleet.expected(), say);
  const onAnswer = (phase: string, answered: number): void =>
    say({ type: 'progress', phase, answered, expected: expected.size });
  const settled = await commitHeads(parts, changes, { author, note: command }, { expected, timeoutMs, onAnswer });
  return {
    command,
    modules: changes.map(({ module, revision }) => ({ module, revision })),
    outcome: settled.outcome,
    detail: settled.detail,
    nodes: settled.nodes.toSorted((a, b) => compareNodes(a.node, b.node)),
    times: { write: settled.write, commit: settled.commit, skew: settled.skew },
  };
}

async function earlierRevision(store: StreamStore, head: Head, to: string | null): Promise<string> {
  const { module } = head;
  const history = await store.history(module);
  const candidates = to === null ? standing(history) : history;
  const kept = candidates.map(({ revision }) => revision).filter(revision => revision !== null);
  const found = kept.findLast(revision => (to === null ? revision !== head.revision : revision.startsWith(to)));
  if (found === undefined) {
    const known = [...new Set(kept.map(shortRevision))].join(', ') || 'none';
    const wanted = to === null ? 'no other revision' : `no revision ${to}`;
    throw new UsageError(`the history of ${module} has ${wanted} to go back to; it has: ${known}`);
  }
  if ((await store.bundle(module, found)) === null) {
    throw new UsageError(`the bundle of ${module}@${shortRevision(found)} is not in the stream any more`);
  }
  return found;
}
